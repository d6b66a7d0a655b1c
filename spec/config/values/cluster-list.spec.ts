/** A Redis Cluster in place of a list of shards: how it is written, and what is refused about it. */
import { expect } from 'chai'
import type { Raw } from '../../../lib/config/values/formats.ts'
import { shardList } from '../../../lib/config/values/lists/shard-list.ts'

function cluster(raw: Raw) {
  const parsed = shardList.parse(raw)
  if (!('value' in parsed)) throw new Error(parsed.problems.map(({ text }) => text).join('; '))
  expect(parsed.value.shards).to.deep.equal([])
  return parsed.value.cluster
}

function problems(raw: Raw): string {
  const parsed = shardList.parse(raw)
  return 'value' in parsed ? '' : parsed.problems.map(({ text }) => text).join('; ')
}

const PLAIN = { username: undefined, password: undefined, tls: false }

describe('a cluster as a shard list', () => {
  const ab = [
    { host: 'a', port: 1 },
    { host: 'b', port: 6379 },
  ]
  for (const [raw, wanted] of [
    ['redis+cluster://a:1', { seeds: ab.slice(0, 1) }],
    ['redis+cluster://a:1,b', { seeds: ab }],
    ['REDIS+CLUSTER://a:1, b/', { seeds: ab }],
    ['redis+cluster://a:1,b:6379/0', { seeds: ab }],
    [['redis+cluster://a:1', 'b:6379'], { seeds: ab }],
    [['redis+cluster://a:1,b:6379'], { seeds: ab }],
    [[{ url: 'redis+cluster://a:1,b:6379' }], { seeds: ab }],
    ['rediss+cluster://[::1]:7000', { seeds: [{ host: '::1', port: 7000 }], tls: true }],
    ['redis+cluster://u:p%40%2C@a:1,b', { seeds: ab, username: 'u', password: 'p@,' }],
    ['redis+cluster://:p@a:1,b', { seeds: ab, password: 'p' }],
    [
      'redis+cluster://n{0..1}:1',
      {
        seeds: [
          { host: 'n0', port: 1 },
          { host: 'n1', port: 1 },
        ],
      },
    ],
  ] as const) {
    it(`is written ${JSON.stringify(raw)}`, () => {
      expect(cluster(raw)).to.deep.equal({ ...PLAIN, ...wanted })
    })
  }

  it('is shown without its credentials', () => {
    const parsed = shardList.parse('rediss+cluster://u:secret@a:1,[::1]:2')
    if (!('value' in parsed)) throw new Error('refused')
    expect(shardList.text(parsed.value)).to.equal('rediss+cluster://a:1,[::1]:2')
  })

  for (const [raw, problem] of [
    ['redis+cluster://', /names no seed: redis\+cluster:\/\/host:port$/],
    ['redis+cluster://a:1,,b:2', /is an empty entry/],
    ['redis+cluster://a:0', /has no port from 1 to 65535$/],
    ['redis+cluster://a:1/3', /has a database: in a cluster there is only 0$/],
    ['redis+cluster://a:1?weight=2', /has a weight/],
    ['redis+cluster://a:1*2', /has a weight/],
    ['x=redis+cluster://a:1', /has a name or a weight/],
    [[{ name: 'x', url: 'redis+cluster://a:1' }], /has a name or a weight/],
    [[{ url: 'redis+cluster://a:1', weight: '2' }], /has a name or a weight/],
    ['redis+cluster://a:1,redis://b:2', /is no seed: after the first one they are host:port$/],
    ['redis+cluster://a:1,redis+cluster://b:2', /is no seed/],
    ['redis+cluster://a:1,b=c:2', /has a name or a weight/],
    ['a:1,redis+cluster://b:2', /is a Redis Cluster, which stands alone/],
    [['a:1', 'rediss+cluster://b:2'], /is a Redis Cluster, which stands alone/],
    ['redis+cluster://a:p@b@c:1', /is not redis\+cluster:\/\//],
  ] as const) {
    it(`is refused as ${JSON.stringify(raw)}`, () => {
      expect(problems(raw)).to.match(problem).and.not.include(';')
    })
  }

  it('shows no credentials when it is refused', () => {
    for (const text of [
      'redis+cluster://user:hunter2@a:0',
      'redis+cluster://user:hunter2@a:1,b:0',
      'redis+cluster://:hunter2@hunter2@a:1',
      'redis+cluster://:hun%ter2@a:1',
      'redis+cluster://:hunter2,hunter2@a:1',
    ]) {
      expect(problems(text), text)
        .to.not.equal('')
        .and.not.match(/hun|ter2/)
    }
  })
})
