/** Since when a shard has its server, and how long it took to find it when the one before was lost. */

export interface Move {
  /** Milliseconds since the epoch. */
  readonly atMs: number
  /** From the moment in which the server before served no more, or was held, milliseconds. */
  readonly tookMs: number
}

export class ServerHistory {
  readonly #now: () => number
  #sinceMs: number
  #troubledMs: number | undefined
  #lastMove: Move | undefined
  #moves = 0

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now
    this.#sinceMs = now()
  }

  /** Since when the server is where it is, milliseconds since the epoch. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  get lastMove(): Move | undefined {
    return this.#lastMove
  }

  /** How often another server has taken over. */
  get moves(): number {
    return this.#moves
  }

  /** The server serves no more, or is about to be replaced. */
  troubled(): void {
    this.#troubledMs ??= this.#now()
  }

  /** It serves. */
  settled(): void {
    this.#troubledMs = undefined
  }

  /** `isFirst`: until now nobody knew any. */
  moved(isFirst: boolean): void {
    const nowMs = this.#now()
    this.#sinceMs = nowMs
    if (isFirst) return
    this.#moves++
    this.#lastMove = { atMs: nowMs, tookMs: nowMs - (this.#troubledMs ?? nowMs) }
    this.#troubledMs = undefined
  }
}
