/**
 * Tests of Redis's suite that cannot pass through the ambassador, and why. They are not run through
 * it: some would leave the server in a state in which the tests behind them fail too.
 */

export interface Difference {
  readonly file: string
  /** Names of tests; those that begin with `/` are regular expressions, as for `--skiptest`. */
  readonly tests: readonly string[]
  readonly why: string
}

export const DIFFERENCES: readonly Difference[] = [
  {
    file: 'unit/multi',
    tests: ['exec with read commands and stale replica state change'],
    why: 'REPLICAOF is refused always',
  },
  {
    file: 'unit/introspection',
    tests: ['/^MONITOR '],
    why: 'MONITOR is refused',
  },
  {
    file: 'unit/introspection',
    tests: ['CONFIG sanity', 'CONFIG SET rollback on apply error'],
    why: 'CONFIG SET of a port is refused always: the ambassador could not connect any more',
  },
  {
    file: 'unit/introspection',
    tests: ['CLIENT LIST', 'CLIENT INFO'],
    why: 'the ambassador lists its own clients, and has no `qbuf` of a client to show',
  },
  {
    file: 'unit/introspection',
    tests: ['CLIENT KILL SKIPME YES/NO will kill all clients'],
    why: 'INFO counts the clients of the shards, CLIENT KILL ends those of the ambassador',
  },
  {
    file: 'unit/pause',
    tests: [
      '/paused by RO',
      'Test scripts are blocked by pause RO',
      'Test multiple clients can be queued up and unblocked',
      'Test that client pause starts at the end of a transaction',
    ],
    why: 'what a pause holds up holds up whatever is behind it on the connection, so INFO does not answer meanwhile',
  },
  {
    file: 'unit/tracking',
    tests: ['/^(?!HELLO )'],
    why: 'CLIENT TRACKING is refused: invalidations come to a connection, and connections are shared',
  },
  {
    file: 'unit/replybufsize',
    tests: ['verify reply buffer limits'],
    why: 'it reads `rbs`, the size of a reply buffer in the server, from CLIENT LIST',
  },
  {
    file: 'unit/hyperloglog',
    tests: [
      'HyperLogLog self test passes',
      'HyperLogLogs are promote from sparse to dense',
      'HyperLogLog sparse encoding stress test',
      'PFDEBUG GETREG returns the HyperLogLog raw registers',
    ],
    why: 'PFDEBUG and PFSELFTEST are refused: they are for testing Redis itself',
  },
  {
    file: 'unit/type/list',
    tests: [
      'SWAPDB wants to wake blocked client, but the key already expired',
      'MULTI + LPUSH + EXPIRE + DEBUG SLEEP on blocked client, key already expired',
    ],
    why: 'they read a stream of replication, and SYNC is refused always',
  },
  {
    file: 'unit/expire',
    tests: ['/Lazy-expire should not be wrapped'],
    why: 'they read a stream of replication, and SYNC is refused always',
  },
  {
    file: 'unit/other',
    tests: ['RESET clears client state'],
    why: 'CLIENT TRACKING is refused',
  },
  {
    file: 'unit/other',
    tests: ['RESET clears MONITOR state'],
    why: 'MONITOR is refused',
  },
  {
    file: 'unit/other',
    tests: ['RESET clears authenticated state'],
    why: "the shards' users are asked only with `authPassthrough`, and then every client must log in",
  },
  {
    file: 'unit/latency-monitor',
    tests: ['LATENCY HISTOGRAM sub commands'],
    why: 'CLIENT ID and CLIENT LIST are answered by the ambassador, so no shard counts them',
  },
  {
    file: 'unit/slowlog',
    tests: [
      'SLOWLOG - max entries is correctly handled',
      'SLOWLOG - GET optional argument to limit output len works',
    ],
    why: 'PING is answered by the ambassador, so no shard logs it',
  },
  {
    file: 'unit/slowlog',
    tests: ['SLOWLOG - logged entry sanity check', 'SLOWLOG - can clean older entries'],
    why: "connections to shards do not have the client's name",
  },
  {
    file: 'unit/scripting',
    tests: ['Script ACL check'],
    why: "the shards' users are asked only with `authPassthrough`, and then every client must log in",
  },
  {
    file: 'unit/scripting',
    tests: ['/^Timedout (read-only )?script'],
    why: 'PING is answered by the ambassador, also while a script keeps the shard busy',
  },
  {
    file: 'unit/functions',
    tests: ['/script kill not working on function', '/function kill', '/test function kill'],
    why: 'PING is answered by the ambassador, also while a function keeps the shard busy',
  },
]

/** The same for several shards, besides. */
export const DIFFERENCES_OF_SEVERAL: readonly Difference[] = [
  {
    file: 'unit/latency-monitor',
    tests: [
      'LATENCY HISTOGRAM all commands',
      'LATENCY HISTORY output is ok',
      'LATENCY LATEST output is ok',
    ],
    why: 'CONFIG RESETSTAT and DEBUG SLEEP go to all shards, and each of them counts',
  },
  {
    file: 'unit/pause',
    tests: [
      'Test write mutli-execs are blocked by pause RO',
      'Test write scripts in mutli-exec are blocked by pause RO',
    ],
    why: 'INFO counts clients that wait for a blocking command, and not those that a pause holds up',
  },
  {
    file: 'unit/pause',
    tests: ['Test both active and passive expires are skipped during client pause'],
    why: 'a transaction is on one shard, and CLIENT PAUSE is for all',
  },
  {
    file: 'unit/slowlog',
    tests: [
      'SLOWLOG - only logs commands taking more time than specified',
      'SLOWLOG - Rewritten commands are logged as their original command',
      'SLOWLOG - can be disabled',
      'SLOWLOG - commands with too many arguments are trimmed',
      'SLOWLOG - too long arguments are trimmed',
      'SLOWLOG - EXEC is not logged, just executed commands',
      'SLOWLOG - get all slow logs',
    ],
    why: 'each shard has a slow log; DEBUG SLEEP is in all of them, and SLOWLOG RESET in no transaction',
  },
  {
    file: 'unit/introspection',
    tests: ['CONFIG SET with multiple args', 'CONFIG SET rollback on set error'],
    why: 'CONFIG SET maxmemory goes to all shards, and CONFIG GET tells what they have together',
  },
  {
    file: 'unit/scripting',
    tests: ['Script read key with expiration set', 'Script delete the expired key'],
    why: 'the script does not name its key, so it runs on any shard, and finds none on another',
  },
  {
    file: 'unit/functions',
    tests: ['FUNCTION - test fcall_ro with read only commands'],
    why: 'the script does not name its key, so it runs on any shard, and finds none on another',
  },
  {
    file: 'unit/multi',
    tests: ['MULTI with config error', 'Flushall while watching several keys by one client'],
    why: 'a transaction is on one shard, and CONFIG SET and FLUSHALL are for all',
  },
  {
    file: 'unit/multi',
    tests: ['/and script timeout$'],
    why: 'a script without keys keeps one shard busy, and the transaction is on another',
  },
]

/** Those of a Redis Cluster besides. */
export const DIFFERENCES_OF_CLUSTER: readonly Difference[] = [
  {
    file: 'unit/functions',
    tests: ['FUNCTION - test fcall_ro with read only commands'],
    why: 'its script touches a key that it does not declare, which a node of a cluster refuses',
  },
  {
    file: 'unit/multi',
    tests: [
      'EXEC fails if there are errors while queueing commands #2',
      'DISCARD should not fail during OOM',
    ],
    why: 'its memory is full only while commands are queued, and they wait for EXEC here, since slots may move until then',
  },
  {
    file: 'unit/scripting',
    tests: [
      'EVAL - Scripts can run non-deterministic commands',
      'Script check unpack with massive arguments',
      'Script del key with expiration set',
      'Script block the time during execution',
      'allow-oom shebang flag',
    ],
    why: 'their scripts touch keys that they do not declare, which a node of a cluster refuses',
  },
]
