/** Asks one server for its ROLE again and again, more and more seldom, until it is told to stop. */

import { timerMs } from '../../timer.ts'

/** `master`, `slave`; undefined when the server did not answer. */
export type Role = string | undefined

export interface RoleWatchOptions {
  /** Rejects when there is no answer. */
  readonly read: () => Promise<Role>
  /** The first pause, milliseconds; each is twice as long as the one before, until `everyMsMax`. */
  readonly everyMs: number
  readonly everyMsMax: number
  readonly onRole: (role: Role) => void
}

export class RoleWatch {
  readonly #options: RoleWatchOptions
  #timer: NodeJS.Timeout | undefined
  #pauseMs: number
  #stopped = false

  /** Asks at once. */
  constructor(options: RoleWatchOptions) {
    this.#options = options
    this.#pauseMs = options.everyMs
    void this.#ask()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #ask(): Promise<void> {
    const { read, everyMsMax, onRole } = this.#options
    const role = await read().catch(() => undefined)
    if (this.#stopped) return
    onRole(role)
    // `onRole` may have stopped this watch.
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#ask(), timerMs(this.#pauseMs))
    this.#pauseMs = Math.min(2 * this.#pauseMs, everyMsMax)
  }
}
