/**
 * A lane is one state that shared connections can be in: protocol, database, credentials. Clients
 * move between lanes; a lane's connections never change.
 */
import { LANES_MAX, LANES_UNUSED_MAX } from '../limits.ts'

export interface LaneSettings {
  readonly protocol: 2 | 3
  /** Undefined: each shard's own, from its configuration. */
  readonly database: number | undefined
  /** Undefined: the configured ones. */
  readonly credentials: Credentials | undefined
}

export interface Credentials {
  readonly username: string | undefined
  readonly password: string
}

export interface Lane extends LaneSettings {
  /** Small and dense; given to another lane after this one is closed. */
  readonly id: number
}

/** All lanes, each once: those in use, and some that were and are likely to be again. */
export class Lanes {
  readonly first: Lane
  readonly #byKey = new Map<string, Lane>()
  readonly #users = new Map<Lane, number>()
  /** Lanes on which every shard has agreed at least once. */
  readonly #proven = new Set<Lane>()
  /** Kept for the next client, left last at the end. */
  readonly #unused = new Set<Lane>()
  readonly #freeIds: number[] = []
  readonly #onClosed: (lane: Lane) => void

  /** `onClosed`: nobody uses the lane any more and its id may be given away after the call. */
  constructor(onClosed: (lane: Lane) => void) {
    this.#onClosed = onClosed
    this.first = this.#add({ protocol: 2, database: undefined, credentials: undefined })
  }

  /**
   * The lane with these settings, and one more user of it. Undefined when there are too many lanes
   * already: each may cost a connection per shard.
   */
  enter(settings: LaneSettings): Lane | undefined {
    const known = this.#byKey.get(keyOf(settings))
    if (known === undefined && this.#byKey.size >= LANES_MAX) {
      this.#closeOldestUnused()
      if (this.#byKey.size >= LANES_MAX) return undefined
    }
    const lane = known ?? this.#add(settings)
    this.#unused.delete(lane)
    this.#users.set(lane, (this.#users.get(lane) ?? 0) + 1)
    return lane
  }

  leave(lane: Lane): void {
    const users = (this.#users.get(lane) ?? 0) - 1
    this.#users.set(lane, users)
    if (users > 0 || lane === this.first) return
    // Clients come and go with one command each; connecting to every shard each time would cost
    // more than the command. A password is asked for again, since it may have been changed.
    if (!this.#proven.has(lane) || lane.credentials !== undefined) {
      this.#close(lane)
      return
    }
    this.#unused.add(lane)
    if (this.#unused.size > LANES_UNUSED_MAX) this.#closeOldestUnused()
  }

  /** Lanes in use. */
  get size(): number {
    return this.#byKey.size
  }

  prove(lane: Lane): void {
    this.#proven.add(lane)
  }

  isProven(lane: Lane): boolean {
    return this.#proven.has(lane)
  }

  #closeOldestUnused(): void {
    for (const lane of this.#unused) {
      this.#close(lane)
      return
    }
  }

  #close(lane: Lane): void {
    this.#unused.delete(lane)
    this.#users.delete(lane)
    this.#byKey.delete(keyOf(lane))
    this.#proven.delete(lane)
    this.#onClosed(lane)
    this.#freeIds.push(lane.id)
  }

  #add(settings: LaneSettings): Lane {
    const lane = { ...settings, id: this.#freeIds.pop() ?? this.#byKey.size }
    this.#byKey.set(keyOf(settings), lane)
    return lane
  }
}

/** Lanes are few and private; the key holds a password and must never be shown. */
function keyOf({ protocol, database, credentials }: LaneSettings): string {
  return JSON.stringify([protocol, database ?? null, credentials?.username, credentials?.password])
}
