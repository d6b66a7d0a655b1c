/** The last requests that kept a shard's connection waiting for long, as Redis's own SLOWLOG has them. */
import { SLOW_LOG_LENGTH } from '../../limits.ts'

/** How it ended: with a reply, without one in time, or because the connection broke. */
export type Ending = 'answered' | 'timed out' | 'lost'

export interface SlowRequest {
  /** Ascending, never used again. */
  readonly id: number
  /** When it ended, milliseconds since the epoch. */
  readonly atMs: number
  /** Lower case, with the subcommand: `client|list`. */
  readonly command: string
  readonly keyHash: number
  readonly key: string | undefined
  readonly shard: string
  /** From reading the request until its reply was there, milliseconds. */
  readonly totalMs: number
  /** The shard's share of that. */
  readonly shardMs: number
  readonly ending: Ending
}

export class SlowLog {
  readonly #ring: SlowRequest[] = []
  #nextId: number

  /** `idsFrom`: the id of the first entry. */
  constructor(idsFrom = 0) {
    this.#nextId = idsFrom
  }

  /** The number of entries, SLOW_LOG_LENGTH at most. */
  get length(): number {
    return this.#ring.length
  }

  add(request: Omit<SlowRequest, 'id'>): void {
    const id = this.#nextId++
    const entry = { id, ...request }
    if (this.#ring.length === SLOW_LOG_LENGTH) this.#ring.shift()
    this.#ring.push(entry)
  }

  /** The newest `count`, newest first. */
  newest(count = SLOW_LOG_LENGTH): SlowRequest[] {
    return this.#ring.slice(Math.max(0, this.#ring.length - count)).reverse()
  }

  reset(): void {
    this.#ring.length = 0
  }
}
