/** What a future configuration may mean for a request that passes today, and what would help. */

/**
 * - `split`, `combined`: it passes, over several shards.
 * - `undeclared`: it passes, but may touch keys that it does not name, and not find them.
 * - `refused`: it gets an error.
 */
export type Outcome = 'refused' | 'undeclared' | 'combined' | 'split'

interface KindRow {
  readonly outcome: Outcome
  /** Ends the sentence "because ...". */
  readonly why: string
  /** `prefixes`: of the keys in question, with commas; empty if they are not shown or have none. */
  readonly help: (prefixes: string) => string | null
}

const route = (prefixes: string): string => {
  const by = prefixes === '' ? 'by a prefix of its keys' : `by prefix (${prefixes})`
  return `a hash tag that its keys share, or a route ${by} to one shard or to a pool of one server`
}

/** In the order in which a report has them. */
export const KINDS = {
  crossslot: {
    outcome: 'refused',
    why: 'its keys are on several places, and it cannot be split',
    help: route,
  },
  transaction: {
    outcome: 'refused',
    why: 'the keys of its transaction are on several places',
    help: (prefixes) => `${route(prefixes)}; or transactions: split`,
  },
  watch: {
    outcome: 'refused',
    why: 'the keys that it watches are on several places',
    help: route,
  },
  script: {
    outcome: 'refused',
    why: 'the keys of its script are on several places',
    help: route,
  },
  blocking: {
    outcome: 'refused',
    why: 'it would wait at several places at once',
    help: route,
  },
  uncombined: {
    outcome: 'refused',
    why: 'its keys are on several places, and crossShardReads is off',
    help: (prefixes) => `crossShardReads: yes; or ${route(prefixes)}`,
  },
  select: {
    outcome: 'refused',
    why: 'a Redis Cluster has database 0 alone',
    help: () => 'database 0 with a prefix for its keys; or shards that are no cluster',
  },
  cluster: {
    outcome: 'refused',
    why: 'a Redis Cluster has no other database',
    help: () => 'database 0 with a prefix for its keys; or shards that are no cluster',
  },
  apart: {
    outcome: 'refused',
    why: 'it leads from a database to another one, on other servers (databases)',
    help: () => null,
  },
  everywhere: {
    outcome: 'refused',
    why: 'it asks all shards, which a transaction cannot do',
    help: () => 'to send it outside of the transaction; or a database that leads to one server',
  },
  admin: {
    outcome: 'refused',
    why: 'it manages a server',
    help: () => 'allowAdmin: yes sends it to all shards',
  },
  unsupported: {
    outcome: 'refused',
    why: 'the ambassador does not support it; docs/commands.md says why',
    help: () => null,
  },
  undeclared: {
    outcome: 'undeclared',
    why: 'it names no key, and may touch some that are on other shards',
    help: () => 'scripts that name all their keys',
  },
  combined: {
    outcome: 'combined',
    why: 'several shards are asked, and the ambassador combines what they answer',
    help: () => null,
  },
  split: {
    outcome: 'split',
    why: 'its keys are on several places: it is atomic on each, not over all of them',
    help: () => null,
  },
} as const satisfies Record<string, KindRow>

export type Kind = keyof typeof KINDS

export const KIND_NAMES = Object.keys(KINDS) as Kind[]
