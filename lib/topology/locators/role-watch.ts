/** Asks one server for its ROLE again and again, until it is told to stop; connects anew when need be. */

import { timerMs } from '../../timer.ts'

/** `master`, `slave`; undefined when the server did not answer. */
export type Role = string | undefined

export interface RoleWatchOptions {
  /** Rejects when there is no answer. */
  readonly read: () => Promise<Role>
  readonly everyMs: number
  readonly onRole: (role: Role) => void
}

export class RoleWatch {
  readonly #options: RoleWatchOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** Asks at once. */
  constructor(options: RoleWatchOptions) {
    this.#options = options
    void this.#ask()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #ask(): Promise<void> {
    const { read, everyMs, onRole } = this.#options
    const role = await read().catch(() => undefined)
    if (this.#stopped) return
    onRole(role)
    // Whoever heard it may have stopped us.
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#ask(), timerMs(everyMs))
  }
}
