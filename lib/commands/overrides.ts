/**
 * What corrects or completes the data of @ioredis/commands: key specifications of commands whose
 * keys move (the data has first, last and step only), handlings, policies, reasons and notes. All
 * else follows from Redis's flags, keys and policies: see `inferRoute` in define.ts.
 */
import type { Override } from './define.ts'
import type { CountedKeys, KeySpec, KeywordSearch, OptionWord, RangeOfKeys } from './row.ts'

const ONE: RangeOfKeys = { type: 'range', last: 0, step: 1, limit: 0 }
const ALL: RangeOfKeys = { type: 'range', last: -1, step: 1, limit: 0 }
const FIRST_HALF: RangeOfKeys = { type: 'range', last: -1, step: 1, limit: 2 }

/** numkeys and then that many keys, each `step` arguments after the one before. */
const counted = (step: number): CountedKeys => {
  return { type: 'keynum', keyNumIndex: 0, firstKey: 1, step }
}

const at = (pos: number, find: RangeOfKeys | CountedKeys = ONE): KeySpec => {
  return { begin: { type: 'index', pos }, find }
}

const behind = (begin: KeywordSearch, find: RangeOfKeys = ONE): KeySpec => ({ begin, find })

const word = (
  keyword: string,
  startFrom: number,
  options: readonly OptionWord[],
): KeywordSearch => {
  return { type: 'keyword', keyword, startFrom, options }
}

/** `takes('LIMIT', 2)`: the option LIMIT has two arguments. */
const takes = (word: string, count: number): OptionWord => ({ word, takes: count })

/** What follows STREAMS is stream names and ids to the end, no option. */
const READ_OPTIONS = [
  takes('COUNT', 1),
  takes('BLOCK', 1),
  takes('CLAIM', 1),
  takes('GROUP', 2),
  takes('STREAMS', Number.MAX_SAFE_INTEGER),
]
const READ: Override = {
  keySpecs: [behind(word('STREAMS', 1, READ_OPTIONS), FIRST_HALF)],
  leaseOption: word('BLOCK', 1, READ_OPTIONS),
  note: 'on a connection of its own only with BLOCK',
}

const SORT_OPTIONS = [takes('BY', 1), takes('LIMIT', 2), takes('GET', 1), takes('STORE', 1)]
const SORT_PATTERNS = ['BY', 'GET'].map((keyword) => behind(word(keyword, 2, SORT_OPTIONS)))
const SORT_NOTE = 'keys that BY and GET patterns make must be on the same shard'

const RADIUS_OPTIONS = [takes('COUNT', 1), takes('STORE', 1), takes('STOREDIST', 1)]
const radiusKeys = (optionsFrom: number): KeySpec[] => [
  at(1),
  behind(word('STORE', optionsFrom, RADIUS_OPTIONS)),
  behind(word('STOREDIST', optionsFrom, RADIUS_OPTIONS)),
]

const MANY_KEYS = word('KEYS', 6, [takes('AUTH', 1), takes('AUTH2', 2)])
const MIGRATE_KEYS: readonly KeySpec[] = [
  { begin: { type: 'index', pos: 3, unless: MANY_KEYS }, find: ONE },
  behind(MANY_KEYS, ALL),
]

const CLUSTER_ONLY = 'it belongs to Redis Cluster, and the shards are separate servers'
const STREAM_OF_REPLICATION = 'it turns its connection into a replication stream'

/**
 * Names separated by spaces; entries for the same name add up. `cluster|*` means all subcommands of
 * CLUSTER but those that are named themselves.
 */
/** Part of Redis 8, but a module: its commands are registered, and named in errors, in capitals. */
const VECTOR_SETS =
  'vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim'.split(
    ' ',
  )

export const OVERRIDES: readonly (readonly [names: string, override: Override])[] = [
  ...VECTOR_SETS.map((name) => [name, { writtenName: name.toUpperCase() }] as const),

  // Keys that move.
  ['eval evalsha eval_ro evalsha_ro fcall fcall_ro', { keySpecs: [at(2, counted(1))] }],
  ['blmpop bzmpop', { keySpecs: [at(2, counted(1))] }],
  ['lmpop zmpop sintercard sunioncard sdiffcard', { keySpecs: [at(1, counted(1))] }],
  ['zunion zinter zdiff zintercard', { keySpecs: [at(1, counted(1))] }],
  ['zunionstore zinterstore zdiffstore', { keySpecs: [at(1), at(2, counted(1))] }],
  ['xread xreadgroup', READ],
  [
    'sort',
    {
      keySpecs: [at(1), behind(word('STORE', 2, SORT_OPTIONS))],
      patterns: SORT_PATTERNS,
      note: SORT_NOTE,
    },
  ],
  ['sort_ro', { keySpecs: [at(1)], patterns: SORT_PATTERNS, note: SORT_NOTE }],
  ['georadius', { keySpecs: radiusKeys(6) }],
  ['georadiusbymember', { keySpecs: radiusKeys(5) }],
  ['migrate', { keySpecs: MIGRATE_KEYS, note: "host and port are as seen from the key's shard" }],
  [
    'msetex',
    {
      keySpecs: [at(1, counted(2))],
      requestPolicy: 'none',
      responsePolicy: 'none',
      note: 'never split: NX and XX are about all its keys at once',
    },
  ],
  ['msetnx', { note: 'never split: it sets all its keys or none' }],

  // Reads whose keys may be on several shards: routing/cross-shard-read.ts.
  [
    'sunion sinter sdiff sintercard zunion zinter zdiff zintercard pfcount',
    { note: 'or on several: each is asked for its part' },
  ],
  [
    'blpop brpop blmpop bzpopmin bzpopmax bzmpop',
    { note: 'or on several: what they announce is popped' },
  ],
  [
    'xread xreadgroup',
    {
      note: 'or on several; with BLOCK on one shard it has a connection of its own',
    },
  ],

  // One fragment for each shard.
  ['mget', { handling: 'split', note: 'values in the order of the request' }],
  ['mset', { handling: 'split', note: 'atomic on each shard, not over all of them' }],
  ['del unlink exists touch', { handling: 'split' }],

  // Every shard.
  [
    'scan',
    { handling: 'broadcast', note: 'one shard after the other: the cursor says which is next' },
  ],
  [
    'randomkey',
    { handling: 'broadcast', note: 'from one shard, each as likely as its share of keys' },
  ],
  [
    'info',
    {
      handling: 'broadcast',
      note: "counts and memory are sums, clients the ambassador's; one line for each shard",
    },
  ],
  [
    'lastsave',
    { handling: 'broadcast', responsePolicy: 'agg_min', note: 'the oldest save of all' },
  ],
  // SWAPDB has no key and no policy, but databases swapped on only some shards would be useless.
  ['swapdb', { handling: 'broadcast', responsePolicy: 'all_succeeded' }],
  [
    'memory|doctor memory|malloc-stats',
    { handling: 'broadcast', note: 'one report for each shard' },
  ],
  ['memory|stats', { handling: 'broadcast', note: 'sums where a sum has a meaning' }],
  [
    'function|stats',
    { handling: 'broadcast', note: 'the engines, and a script that runs anywhere' },
  ],
  ['slowlog|get slowlog|len slowlog|reset latency|reset', { handling: 'broadcast' }],
  [
    'latency|doctor latency|graph latency|latest latency|history latency|histogram',
    { handling: 'broadcast', note: 'one report for each shard' },
  ],
  ['script|load', { note: 'the body is remembered, so that a restarted shard gets it again' }],

  // Any shard, although scripts may not call them, or only tools call them.
  ['acl|cat acl|genpass role function|dump function|list module|list', { handling: 'single' }],
  [
    'eval evalsha eval_ro evalsha_ro fcall fcall_ro',
    { note: 'without keys: the shard of the empty key' },
  ],

  // Answered here.
  ['auth echo hello ping quit reset select', { handling: 'local' }],
  ['acl|whoami', { handling: 'local' }],
  [
    'asking cluster|* readonly readwrite',
    { handling: 'local', note: 'with the error of a Redis that is in no cluster' },
  ],
  ['client|*', { handling: 'local', note: "about the ambassador's own clients" }],
  ['command command|*', { handling: 'local', note: 'from this table' }],
  ['command|docs', { handling: 'single', note: 'the table has no texts' }],
  [
    'command|getkeysandflags',
    { handling: 'single', note: 'the table does not say how keys are used' },
  ],
  [
    'config|get',
    {
      handling: 'local',
      note: "what clients ask for; no shard's secrets; port, bind, maxclients and timeout are the ambassador's, and CONFIG SET of them is refused",
    },
  ],
  ['client|help command|help', { handling: 'single' }],

  // A connection of its own.
  [
    'multi exec discard watch unwatch',
    { handling: 'lease', because: 'a transaction needs a shard connection of its own' },
  ],
  ['wait waitaof', { note: 'Redis counts the writes of the connection that asks' }],

  // Pub/sub. Channels are routed like keys.
  ['subscribe unsubscribe', { keySpecs: [at(1, ALL)] }],
  [
    'subscribe unsubscribe ssubscribe sunsubscribe psubscribe punsubscribe',
    { handling: 'subscription', because: 'pub/sub needs a subscriber connection' },
  ],
  ['publish', { keySpecs: [at(1)] }],
  [
    'publish spublish',
    {
      handling: 'single',
      note: 'to the shard of the channel; counts all of our clients that hear it; in MULTI to the shard of the keys',
    },
  ],
  ['pubsub|channels pubsub|shardchannels', { handling: 'broadcast' }],
  [
    'pubsub|numsub pubsub|shardnumsub',
    {
      handling: 'broadcast',
      responsePolicy: 'special',
      note: 'all of our clients, and those of others',
    },
  ],
  [
    'pubsub|numpat',
    { handling: 'broadcast', responsePolicy: 'agg_max', note: 'every shard has all patterns' },
  ],

  // Administration.
  [
    'client|pause client|unpause',
    {
      handling: 'admin',
      because: "it would stop every client of the shards, not this ambassador's alone",
    },
  ],

  ['hotkeys|get', { responsePolicy: 'all_succeeded', note: 'of the first shard' }],

  // Never.
  ['trimslots', { handling: 'refuse', because: CLUSTER_ONLY }],
  ['sync psync replconf', { handling: 'refuse', because: STREAM_OF_REPLICATION }],
  ['replicaof slaveof', { handling: 'refuse', because: 'it would replace what a shard holds' }],
  ['shutdown', { handling: 'refuse', because: 'it would stop a shard for everybody' }],
  ['monitor', { handling: 'refuse', because: 'it turns its connection into an endless stream' }],
  ['script|debug', { handling: 'refuse', because: 'it turns its connection into a debugger' }],
  ['pfdebug pfselftest', { handling: 'refuse', because: 'it is for testing Redis itself' }],
  [
    'client|tracking client|caching',
    {
      handling: 'refuse',
      because:
        'invalidations come to a connection, and connections are shared; nearCacheKeys keeps replies in the ambassador',
    },
  ],
  [
    'himport|*',
    {
      handling: 'refuse',
      because: 'field sets belong to a connection, and connections are shared',
    },
  ],
  ['bless|scan', { handling: 'refuse', because: 'its cursor belongs to one shard' }],
]

/** Our own command, answered to any client: its subcommands and their arities. */
export const OWN_COMMAND = {
  name: 'ambassador',
  subcommands: {
    ...{ bigreplies: -2, config: 2, help: 2, hotkeys: 2, nearcache: 3 },
    ...{ preflight: 2, route: -3, shards: 2, slowlog: -2, stats: 2 },
  },
} as const
