/** Between which servers conversations are held, and what they leave out there. */
import type { Exceptions } from './conversation.ts'
import type { Vocabulary } from './phrases.ts'

export interface Setting {
  readonly name: string
  readonly shards: number
  /** Of the plain Redis and of the ambassador. */
  readonly password: string | undefined
  /** Options of the ambassador. */
  readonly flags: Readonly<Record<string, string>>
  /** Of the plain Redis. */
  readonly redisArgs: readonly string[]
  readonly shardArgs: readonly string[]
  readonly vocabulary: Vocabulary
  readonly exceptions: Exceptions
}

const OPEN: Vocabulary = {
  tag: '',
  logins: ['default x', 'secret', ''],
  wrongLogins: ['nobody x'],
}

const NONE: Exceptions = { alike: [], never: [], inTransactions: [] }

const WITH_USERS: Exceptions = {
  ...NONE,
  alike: [
    {
      pattern: /-(NOPERM|ERR Can't execute) [^\r]*/g,
      reason:
        'a subscriber that may not do this for two reasons is told the one that is known here',
    },
  ],
}

const WITH_SEVERAL: Exceptions = {
  ...NONE,
  never: [{ pattern: /redis.call\('PUBLISH'/, reason: 'a script runs on the shard of its keys' }],
  inTransactions: [
    { pattern: /^S?PUBLISH /, reason: 'a channel has the shard of its name, the keys have theirs' },
    { pattern: /^(DBSIZE|SCRIPT )/, reason: 'all shards are asked, and a transaction is on one' },
  ],
}

const ONE_SHARD: Setting = {
  name: 'one shard',
  shards: 1,
  password: undefined,
  flags: {},
  redisArgs: [],
  shardArgs: [],
  vocabulary: OPEN,
  exceptions: NONE,
}

/** May do everything but one thing. */
const ALICE = ['--user', 'alice', 'on', '>pw', '~*', '&*', '+@all', '-incr']

export const SETTINGS: readonly Setting[] = [
  ONE_SHARD,
  {
    ...ONE_SHARD,
    name: 'one shard behind a password',
    password: 'secret',
    flags: { password: 'secret' },
    redisArgs: ['--requirepass', 'secret'],
    vocabulary: {
      ...OPEN,
      logins: ['secret', 'default secret'],
      wrongLogins: ['wrong', 'nobody secret', ''],
    },
  },
  {
    ...ONE_SHARD,
    name: 'one shard with users of its own',
    password: 'secret',
    flags: { authPassthrough: 'yes', shardPassword: 'secret' },
    redisArgs: ['--requirepass', 'secret', ...ALICE],
    shardArgs: ['--requirepass', 'secret', ...ALICE],
    vocabulary: {
      ...OPEN,
      logins: ['secret', 'default secret', 'alice pw', 'alice pw'],
      wrongLogins: ['wrong', 'nobody secret', 'alice secret'],
    },
    exceptions: WITH_USERS,
  },
  {
    ...ONE_SHARD,
    name: 'three shards and keys of one tag',
    shards: 3,
    vocabulary: { ...OPEN, tag: '{t}' },
    exceptions: WITH_SEVERAL,
  },
]
