/**
 * From what a master and its replicas tell of their offsets to a moment: a replica has all that the
 * master had executed until then. Pure.
 *
 * A client that was answered by the master before that moment finds on the replica all that it saw. The
 * clock is the turn's: two moments of one turn are equal, and then nothing is known of their order.
 */
import { REPLICATION_SAMPLES_MAX } from '../../limits.ts'

/** What a server tells of its replication. */
export interface Offset {
  /** Which history the offset counts in: the master's `master_replid`. */
  readonly history: string
  /** Bytes of that history that the server has. */
  readonly bytes: number
}

interface Sample {
  readonly askedMs: number
  readonly bytes: number
}

/** Nothing is known. */
export const NEVER = Number.NEGATIVE_INFINITY

export class Coverage {
  #history = ''
  /** The oldest first; neither moments nor offsets descend. */
  #samples: Sample[] = []

  /** The master, asked at `askedMs` or later, was as far as this. */
  masterIs({ history, bytes }: Offset, askedMs: number): void {
    const newest = this.#samples.at(-1)
    const goesOn = history === this.#history && newest !== undefined && bytes >= newest.bytes
    if (!goesOn) this.#samples = []
    this.#history = history
    this.#samples.push({ askedMs, bytes })
    if (this.#samples.length > REPLICATION_SAMPLES_MAX) this.#samples.shift()
  }

  /** A master has told how far it is. */
  get isKnown(): boolean {
    return this.#samples.length > 0
  }

  /** There is another master, whose history is another one. */
  clear(): void {
    this.#history = ''
    this.#samples = []
  }

  /** All that the master was asked to do before this moment a server with this offset has. */
  until({ history, bytes }: Offset): number {
    if (history !== this.#history) return NEVER
    return this.#samples.findLast((sample) => sample.bytes <= bytes)?.askedMs ?? NEVER
  }

  /** How many bytes it lacks of what the master was last heard to have; undefined: another history. */
  lagOf({ history, bytes }: Offset): number | undefined {
    const newest = this.#samples.at(-1)
    if (history !== this.#history || newest === undefined) return undefined
    return Math.max(0, newest.bytes - bytes)
  }
}
