/** What the near-cache did, counted since the process began. */

/** Why a read of a key that may be kept was not answered from memory. */
const MISSES = ['absent', 'expired', 'unconfirmed', 'writing', 'untracked', 'partial'] as const
export type Miss = (typeof MISSES)[number]

/** Why a reply that was to be kept is not kept. */
const POISONS = ['push', 'ownWrite', 'lost', 'passed', 'reply'] as const
export type Poison = (typeof POISONS)[number]

/** Why all that was read over one connection was dropped. */
const SOURCE_ENDS = [
  'lost',
  'feedLost',
  'refused',
  'flushed',
  'broken',
  'anyKey',
  'cleared',
] as const
export type SourceEnd = (typeof SOURCE_ENDS)[number]

export class NearCacheStats {
  hits = 0
  /** Reads that shared the reply to an earlier one that was under way. */
  joined = 0
  fills = 0
  /** Misses that were not filled because the key was not asked for often enough yet. */
  notAdmitted = 0
  /** Keys that shards were told are in use. */
  touches = 0
  readonly misses = countsOf(MISSES)
  readonly poisoned = countsOf(POISONS)
  /** Entries removed because their key had changed: told by the shard, or written by a client of ours. */
  readonly invalidations = { shard: 0, ownWrite: 0 }
  readonly sourcesEnded = countsOf(SOURCE_ENDS)
}

function countsOf<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
}

/** What the near-cache holds at this moment. */
export interface NearCacheState {
  readonly entries: number
  /** Bytes of their requests and replies. */
  readonly bytes: number
  /** All memory that the cache takes, bytes. */
  readonly memoryBytes: number
  /** Entries that had to make room, since it was last made. */
  readonly evictions: number
  /** Connections whose reads may be kept, and those of them that are not tracked. */
  readonly connections: number
  readonly untracked: number
  /** Reads under way that are to be kept. */
  readonly flights: number
  /** Keys that clients are writing. */
  readonly writing: number
  /**
   * For each shard: how long ago it was last certain that every change had been announced,
   * milliseconds.
   */
  readonly confirmedAges: ReadonlyMap<string, number>
  readonly prefixes: readonly {
    readonly text: string
    readonly hits: number
    readonly fills: number
  }[]
}
