/** The grammar of the shard list, and that its messages show no credentials. */
import { expect } from 'chai'
import type { ShardConfig } from '../../../../lib/config/config.ts'
import type { Raw } from '../../../../lib/config/values/formats.ts'
import { shardList } from '../../../../lib/config/values/lists/shard-list.ts'

function shards(raw: Raw): readonly ShardConfig[] {
  const parsed = shardList.parse(raw)
  if ('value' in parsed) return parsed.value.shards
  throw new Error(`refused: ${parsed.problems.map(({ text }) => text).join(', ')}`)
}

function problems(raw: Raw): string[] {
  const parsed = shardList.parse(raw)
  return 'value' in parsed ? [] : parsed.problems.map(({ text }) => text)
}

function shard(fields: Partial<ShardConfig>): ShardConfig {
  return {
    name: 'host:6379',
    host: 'host',
    port: 6379,
    path: undefined,
    sentinel: undefined,
    replicas: [],
    weight: 1,
    database: 0,
    username: undefined,
    password: undefined,
    tls: false,
    ...fields,
  }
}

describe('shardList', () => {
  const unix = { host: '', port: 0, path: '/run/r.sock' }
  const user = { username: 'u', password: 'p' }
  const master = (name: string, ...sentinels: readonly [host: string, port: number][]) => {
    const addresses = sentinels.map(([host, port]) => ({ host, port, tls: false }))
    return { host: '', port: 0, sentinel: { master: name, addresses } }
  }
  for (const [text, wanted] of [
    ['host:6379', {}],
    ['host:6379*3', { weight: 3 }],
    ['a=host:6379', { name: 'a' }],
    ['a=host:6379*2', { name: 'a', weight: 2 }],
    ['[::1]:6379', { name: '[::1]:6379', host: '::1' }],
    ['host:11211', { name: 'host:11211', port: 11211 }],
    ['old:1=host:6379', { name: 'old:1' }],
    ['redis://host:6379', {}],
    ['redis://host', {}],
    ['REDIS://host', {}],
    ['redis://host/', {}],
    ['redis://host/15', { database: 15 }],
    ['redis://host?weight=4', { weight: 4 }],
    ['redis://host?replica=r', { replicas: [{ host: 'r', port: 6379 }] }],
    [
      'redis://host?replica=r1:1&weight=2&replica=[::1]:2',
      {
        weight: 2,
        replicas: [
          { host: 'r1', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
    ],
    ['a=redis://host:6379/2?weight=4', { name: 'a', database: 2, weight: 4 }],
    ['redis://:secret@host', { password: 'secret' }],
    ['redis://user@host', { username: 'user' }],
    ['redis://user:p%40%2C%3A%2F%25@host', { username: 'user', password: 'p@,:/%' }],
    ['redis://[::1]:6379', { name: '[::1]:6379', host: '::1' }],
    ['redis://[::1]', { name: '[::1]:6379', host: '::1' }],
    ['rediss://host', { tls: true }],
    ['redis+sentinel://m1', { name: 'm1', ...master('m1') }],
    ['a=redis+sentinel://m1?weight=2', { name: 'a', weight: 2, ...master('m1') }],
    [
      'a=rediss+sentinel://u:p@m1/3',
      { name: 'a', database: 3, tls: true, ...user, ...master('m1') },
    ],
    ['redis+sentinel://h1:1,h2/m1', { name: 'm1', ...master('m1', ['h1', 1], ['h2', 26_379]) }],
    ['a=redis+sentinel://[::1]:1/m1/2', { name: 'a', database: 2, ...master('m1', ['::1', 1]) }],
    ['unix:///run/r.sock', { name: '/run/r.sock', ...unix }],
    ['a=unix:///run/r.sock?weight=2', { name: 'a', weight: 2, ...unix }],
  ] as const) {
    it(`reads ${text}`, () => expect(shards(text)).to.deep.equal([shard(wanted)]))
  }

  it('reads several, with spaces after the commas', () => {
    expect(shards('b=host:6379, a=host:6379').map(({ name }) => name)).to.deep.equal(['b', 'a'])
  })

  it('repeats an entry for each number of a range, in all places at once', () => {
    expect(shards('s{0..2}=redis-{0..2}.redis:6379*2')).to.deep.equal(
      ['0', '1', '2'].map((n) => shard({ name: `s${n}`, host: `redis-${n}.redis`, weight: 2 })),
    )
    expect(shards('h{9..11}:1').map(({ host }) => host)).to.deep.equal(['h9', 'h10', 'h11'])
    expect(shards('h{7..7}:1')).to.have.lengthOf(1)
    expect(shards('h:700{1..3}').map(({ port }) => port)).to.deep.equal([7001, 7002, 7003])
  })

  it('reads the same as a list of texts and objects', () => {
    const raw = [
      'host:6379',
      { name: 'b', url: 'redis://host:6379/1', weight: '2' },
      { url: 'c{0..1}:6379' },
    ]
    expect(shards(raw)).to.deep.equal([
      shard({}),
      shard({ name: 'b', database: 1, weight: 2 }),
      shard({ name: 'c0:6379', host: 'c0' }),
      shard({ name: 'c1:6379', host: 'c1' }),
    ])
  })

  for (const [raw, problem] of [
    ['', '"" is an empty entry'],
    ['a:1,,b:1', '"" is an empty entry'],
    ['host', '"host" is not host:port'],
    ['host:0', '"host:0" has no port from 1 to 65535'],
    ['host:1*0', '"host:1*0" has a weight that is not a whole number from 1 to 1000000'],
    ['host:1*-1', '"host:1*-1" has a weight that is not a whole number from 1 to 1000000'],
    ['host:1*1.5', '"host:1*1.5" has a weight that is not a whole number from 1 to 1000000'],
    ['host:1*2*3', '"host:1*2*3" has more than one weight'],
    ['=host:1', '"=host:1" has an empty name'],
    ['a b=host:1', '"a b=host:1" has a space or a control character in its name'],
    [
      'http://host',
      '"http://host" has an unknown scheme "http"; redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster and unix are known',
    ],
    ['redis://host/x', '"redis://host/x" has no database number'],
    [
      'redis://host?db=1',
      '"redis://host?db=1" has something other than weight=N and replica=host:port after its "?"',
    ],
    ['redis://h?replica=h', '"redis://h?replica=h" has a replica "h" that is the master itself'],
    [
      'redis://h?replica=r&replica=r:6379',
      '"redis://h?replica=r&replica=r:6379" has the replica "r:6379" twice',
    ],
    [
      'redis://h?replica=r:x',
      '"redis://h?replica=r:x" has a replica "r:x" that has no port from 1 to 65535',
    ],
    ['redis://h?weight=1&weight=2', '"redis://h?weight=1&weight=2" has its weight twice'],
    [
      'redis+sentinel://m1?replica=r',
      '"redis+sentinel://m1?replica=r" names replicas of a master whose sentinels name them',
    ],
    ['redis://host:x', '"redis://host:x" has no port from 1 to 65535'],
    ['redis://', '"redis://" has no valid host before the port'],
    ['redis://host#x', /^"redis:\/\/host#x" is not redis:\/\/.*percent-encoded$/],
    ['unix:run', '"unix:run" is not an absolute path of a unix socket'],
    ['h{2..0}:1', '"h{2..0}:1" has a range that counts down: {2..0}'],
    ['h{a,b}:1', /^"h\{a" has a brace that is not a range like \{0\.\.2\}/],
    ['a{0..1}=h{0..2}:1', '"a{0..1}=h{0..2}:1" has different ranges: {0..1} and {0..2}'],
    ['h{0..999999999999}:1', '"h{0..999999999999}:1" makes more than 1024 shards'],
    ['a=h:1,a=h:2', 'has two shards named "a"; give them different names: a=host:port'],
    ['a=h{0..1}:1', 'has two shards named "a"; give them different names: a=host:port'],
    [`${'n'.repeat(256)}=h:1`, /has a name longer than 255 bytes$/],
    [[], 'holds no shard'],
    [{ a: 'b' }, 'is not a list of shards; write [a=host:port, b=host:port]'],
    [null, 'is not a list of shards; write [a=host:port, b=host:port]'],
    [[['x']], 'a list is neither an address nor an object with a url'],
    [[{ name: 'a' }], 'shard "a" has no url'],
    [[{ url: ['x'] }], 'a map needs text for url'],
    [[{ url: 'h:1', port: '2' }], /has an unknown key "port"; a shard has name, url and weight$/],
    [[{ url: 'redis://h?weight=1', weight: '1' }], 'a map has its weight twice'],
  ] as const) {
    it(`refuses ${JSON.stringify(raw).slice(0, 60)}`, () => {
      const [first] = problems(raw)
      if (typeof problem === 'string') expect(first).to.equal(problem)
      else expect(first).to.match(problem)
    })
  }

  it('reports every entry that is wrong, with its place in a list', () => {
    expect(shardList.parse(['a:0', 'b:1', 'c:x'])).to.deep.equal({
      problems: [
        { at: [0], text: '"a:0" has no port from 1 to 65535' },
        { at: [2], text: '"c:x" has no port from 1 to 65535' },
      ],
    })
  })
})

describe('credentials in a shard list that is refused', () => {
  for (const text of [
    'redis://user:hunter2@host:0',
    'redis://user:hunter2@host/x',
    'redis://hunter2@host:1*2',
    'redis://:hunter2#@host',
    'redis://:hunter2?@host',
    'redis://:hun%ter2@host',
    'redis://:hunter2/hunter2@host',
    'redis://:hunter2@hunter2@host',
    'redis://:hunter2{@host',
    'ftp://:hunter2@host',
    'a=redis://:hunter2@host,a=redis://:hunter2@host',
    'redis://:hunter2,hunter2@host',
    'redis://hunter2,hunter2/hunter2@host',
    'redis://:hunter2,b://hunter2@host',
    'ok:1,user:hunter2@host:1',
  ]) {
    it(`stay out of the message for ${text.replaceAll('hunter2', '...')}`, () => {
      const found = problems(text)
      expect(found).not.to.have.lengthOf(0)
      expect(found.join('\n')).not.to.match(/hun|ter2/)
    })
    it(`stay out of it in an object as well: ${text.replaceAll('hunter2', '...')}`, () => {
      const found = problems([{ name: 'a', url: text, weight: 'x' }])
      expect(found).not.to.have.lengthOf(0)
      expect(found.join('\n')).not.to.match(/hun|ter2/)
    })
  }
})
