/** INFO texts as shards write them, merged. */
import { expect } from 'chai'
import { formatInfo, mergeInfo, parseInfo } from '../../../lib/routing/merge/merge-info.ts'

function text(title: string, ...lines: string[]): string {
  return [`# ${title}`, ...lines, ''].join('\r\n')
}

/** The merged lines of one section that all shards have. */
function merged(title: string, ...shards: string[][]): string[] {
  const sections = mergeInfo(shards.map((lines) => text(title, ...lines)))
  return (sections[0]?.lines ?? []).map(([name, value]) => `${name}:${value}`)
}

describe('mergeInfo', () => {
  it('leaves a single text as it is, names that come twice and unknown lines included', () => {
    const one = `${text('Modules', 'module:name=a,ver=1', 'module:name=b,ver=2')}\r\n${text('X', 'y:z:1')}`
    expect(formatInfo(mergeInfo([one]))).to.equal(one)
    expect(mergeInfo([])).to.deep.equal([])
  })

  it('skips what stands before the first section', () => {
    expect(parseInfo('lost:1\r\n# A\r\nkept:2\r\n\r\nnoise\r\n')).to.deep.equal([
      { title: 'A', lines: [['kept', '2']] },
    ])
  })

  const cases: readonly (readonly [
    fact: string,
    title: string,
    shards: string[][],
    out: string,
  ])[] = [
    [
      'adds counts, beyond 2^53 exactly',
      'Stats',
      [['n:9007199254740993'], ['n:2']],
      'n:9007199254740995',
    ],
    ['adds a count that only some shards have', 'Stats', [['n:1'], ['m:2'], ['n:3']], 'n:4 m:2'],
    [
      'adds rates and seconds with their decimals',
      'CPU',
      [['s:1.250000'], ['s:0.500000']],
      's:1.750000',
    ],
    [
      'takes the mean of ratios',
      'Memory',
      [['frag_ratio:1.00'], ['frag_ratio:2.00']],
      'frag_ratio:1.50',
    ],
    [
      'takes the mean of percentages',
      'Memory',
      [['peak_perc:50.00%'], ['peak_perc:75.00%']],
      'peak_perc:62.50%',
    ],
    [
      'writes sums for people again',
      'Memory',
      [
        ['m:1536', 'm_human:1.50K'],
        ['m:512', 'm_human:512B'],
      ],
      'm:2048 m_human:2.00K',
    ],
    [
      'writes small sums for people as bytes',
      'Memory',
      [
        ['m:3', 'm_human:3B'],
        ['m:4', 'm_human:4B'],
      ],
      'm:7 m_human:7B',
    ],
    ['adds the bounds of memory', 'Memory', [['maxmemory:5'], ['maxmemory:6']], 'maxmemory:11'],
    [
      'has no bound of memory when one shard has none',
      'Memory',
      [['maxmemory:5'], ['maxmemory:0']],
      'maxmemory:0',
    ],
    ['is loading when one shard is', 'Persistence', [['loading:0'], ['loading:1']], 'loading:1'],
    [
      'saved when the last shard did',
      'Persistence',
      [['rdb_last_save_time:9'], ['rdb_last_save_time:7']],
      'rdb_last_save_time:7',
    ],
    [
      'tells of a failure on any shard',
      'Persistence',
      [['status:ok'], ['status:err']],
      'status:err',
    ],
    ['is well when all are', 'Persistence', [['status:ok'], ['status:ok']], 'status:ok'],
    [
      'is up as long as the oldest',
      'Server',
      [['uptime_in_seconds:5'], ['uptime_in_seconds:8']],
      'uptime_in_seconds:8',
    ],
    [
      'has the channels that every shard has once',
      'Stats',
      [['pubsub_channels:5'], ['pubsub_channels:6']],
      'pubsub_channels:6',
    ],
    [
      'describes the first server',
      'Server',
      [['redis_version:7.0.1'], ['redis_version:7.2.0']],
      'redis_version:7.0.1',
    ],
    ['is one master to clients', 'Replication', [['role:slave'], ['role:master']], 'role:master'],
    [
      'is standalone to clients',
      'Server',
      [['redis_mode:cluster'], ['redis_mode:cluster']],
      'redis_mode:standalone',
    ],
    [
      'is standalone to clients of Valkey 9',
      'Server',
      [['server_mode:cluster'], ['server_mode:cluster']],
      'server_mode:standalone',
    ],
    [
      'lists the modules of the first',
      'Modules',
      [['module:name=a'], ['module:name=b']],
      'module:name=a',
    ],
    [
      'adds keys and weighs their lives',
      'Keyspace',
      [['db0:keys=2,expires=1,avg_ttl=100'], ['db0:keys=3,expires=3,avg_ttl=500']],
      'db0:keys=5,expires=4,avg_ttl=400',
    ],
    [
      'has no life where nothing expires',
      'Keyspace',
      [['db0:keys=2,expires=0,avg_ttl=0'], ['db0:keys=3,expires=0,avg_ttl=0']],
      'db0:keys=5,expires=0,avg_ttl=0',
    ],
    [
      'adds calls and tells their mean time',
      'Commandstats',
      [
        ['cmdstat_get:calls=1,usec=10,usec_per_call=10.00'],
        ['cmdstat_get:calls=3,usec=2,usec_per_call=0.67'],
      ],
      'cmdstat_get:calls=4,usec=12,usec_per_call=3.00',
    ],
    [
      'takes the largest percentile',
      'Latencystats',
      [['l:p50=1.003,p99=9.001'], ['l:p50=2.007']],
      'l:p50=2.007,p99=9.001',
    ],
  ]

  for (const [fact, title, shards, out] of cases) {
    it(fact, () => expect(merged(title, ...shards).join(' ')).to.equal(out))
  }

  it('keeps a section that only one shard has', () => {
    const sections = mergeInfo([text('A', 'x:1'), `${text('A', 'x:2')}\r\n${text('B', 'y:3')}`])
    expect(formatInfo(sections)).to.equal('# A\r\nx:3\r\n\r\n# B\r\ny:3\r\n')
  })
})
