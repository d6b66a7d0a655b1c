/** What `diff` finds, for those who print it. */
import type { Rules } from '../ring.ts'
import type { Movement } from './movement.ts'

export interface Difference {
  readonly before: Rules
  readonly after: Rules
  /** Shares of all keys, 0 to 1. */
  readonly ring: Movement
  /** How many keys were made up and placed, since the rings cannot be compared; 0: they were. */
  readonly sampled: number
  /** Counts of the keys that were given. */
  readonly keys: Movement | undefined
  readonly notes: readonly string[]
}

/** A part of the keys that is looked at by itself. */
export interface PartDifference {
  /** Of the part: `route "bull:"`. */
  readonly title: string
  /** Its names for scripts. */
  readonly names: Readonly<Record<string, string>>
  readonly difference: Difference
}

/** Of the keys without a route, and of each part. */
export interface WholeDifference extends Difference {
  readonly routes: readonly PartDifference[]
  readonly pools: readonly PartDifference[]
}
