/**
 * One turn of the event loop: all that arrives in one poll is answered by one write per socket and
 * shares one reading of the clock. A second reading follows when all is written, if there is a
 * watcher.
 */

/** Something with bytes to write at the end of the turn. */
export interface Flushable {
  flush(): void
}

/** Something that measures time. */
export interface TurnWatcher {
  /** All that was written in the turn has been handed to the sockets. Monotonic milliseconds. */
  turnEnded(startedMs: number, endedMs: number): void
}

export class Turn {
  #dirty: Flushable[] = []
  #spare: Flushable[] = []
  #watchers: TurnWatcher[] = []
  #spareWatchers: TurnWatcher[] = []
  #scheduled = false
  #nowMs = 0
  readonly #clock: () => number
  readonly #later: (endTurn: () => void) => void
  readonly #endTurn = (): void => this.#flushAll()

  /**
   * `clock` is monotonic, in milliseconds; `later` calls back once when the turn ends. The check
   * phase follows the poll phase: by then every socket that was readable has been read.
   */
  constructor(
    clock: () => number = () => performance.now(),
    later: (endTurn: () => void) => void = setImmediate,
  ) {
    this.#clock = clock
    this.#later = later
  }

  /** Monotonic milliseconds, read once per turn. */
  now(): number {
    if (!this.#scheduled) this.#schedule()
    return this.#nowMs
  }

  /** As `now`, read at this moment: for what must not be late by the length of a turn. */
  readClock(): number {
    return this.#clock()
  }

  /** Asks for one `flush` when the turn ends. The caller asks once per turn at most. */
  flushLater(flushable: Flushable): void {
    this.#dirty.push(flushable)
    if (!this.#scheduled) this.#schedule()
  }

  /** Calls `turnEnded` once when this turn has ended. The caller asks once per turn at most. */
  watchEnd(watcher: TurnWatcher): void {
    this.#watchers.push(watcher)
    if (!this.#scheduled) this.#schedule()
  }

  #schedule(): void {
    this.#scheduled = true
    this.#nowMs = this.#clock()
    this.#later(this.#endTurn)
  }

  #flushAll(): void {
    this.#scheduled = false
    const startedMs = this.#nowMs
    const dirty = this.#dirty
    this.#dirty = this.#spare
    // Watchers that come during a flush belong to the next turn.
    const watchers = this.#watchers
    this.#watchers = this.#spareWatchers
    for (let i = 0; i < dirty.length; i++) dirty[i]?.flush()
    dirty.length = 0
    this.#spare = dirty
    if (watchers.length > 0) this.#tell(watchers, startedMs, this.#clock())
    this.#spareWatchers = watchers
  }

  #tell(watchers: TurnWatcher[], startedMs: number, endedMs: number): void {
    for (let i = 0; i < watchers.length; i++) watchers[i]?.turnEnded(startedMs, endedMs)
    watchers.length = 0
  }
}
