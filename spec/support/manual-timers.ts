/**
 * Timers that run when the spec says so, in place of Node's for the whole process while installed.
 * Not node:test's, which in Node 20 run a timer again that asks for an immediate.
 */

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

export class ManualTimers {
  #nowMs = 0
  readonly #timers = new Map<object, Timer>()
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setImmediate: globalThis.setImmediate,
  }

  /** `immediates`: setImmediate calls back behind the timer that asked for it, not by itself. */
  install(immediates: boolean): void {
    const fakes = {
      setTimeout: (callback: () => void, delayMs: number) => this.#add(callback, delayMs),
      clearTimeout: (timer: object) => this.#timers.delete(timer),
      ...(immediates ? { setImmediate: (callback: () => void) => this.#add(callback, 0) } : {}),
    }
    Object.assign(globalThis, fakes)
  }

  restore(): void {
    Object.assign(globalThis, this.#real)
    this.#timers.clear()
  }

  /** How long from now each timer is set for. */
  get delaysMs(): number[] {
    return [...this.#timers.values()].map(({ dueMs }) => dueMs - this.#nowMs)
  }

  /** Lets so many milliseconds pass and runs what is due by then, in its order. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      const [handle, timer] = next
      this.#timers.delete(handle)
      this.#nowMs = timer.dueMs
      timer.callback()
    }
    this.#nowMs = endMs
  }

  #next(endMs: number): [object, Timer] | undefined {
    let next: [object, Timer] | undefined
    for (const entry of this.#timers) {
      if (entry[1].dueMs <= endMs && (next === undefined || entry[1].dueMs < next[1].dueMs)) {
        next = entry
      }
    }
    return next
  }

  #add(callback: () => void, delayMs: number): object {
    const handle = { unref: () => handle, ref: () => handle }
    this.#timers.set(handle, { dueMs: this.#nowMs + delayMs, callback })
    return handle
  }
}
