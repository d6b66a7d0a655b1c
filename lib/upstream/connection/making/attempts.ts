/** The successes and failures of a connection, which decide how soon the next attempt comes; and the wait for it. */
import { RECOVERED_AFTER_MS } from '../../../limits.ts'
import { timerMs } from '../../../timer.ts'
import { reconnectDelayMs } from './backoff.ts'

export class Attempts {
  /** In a row. */
  #failures = 0
  /** When the connection became usable; 0: it has not. The turn's clock. */
  #readySinceMs = 0
  #timer: NodeJS.Timeout | undefined

  succeeded(nowMs: number): void {
    this.#readySinceMs = nowMs
  }

  /** The connection, which works, has not failed lately: if it is lost it is worth one at once. */
  isFirstFailure(nowMs: number): boolean {
    return this.#failures === 0 || nowMs - this.#readySinceMs >= RECOVERED_AFTER_MS
  }

  /** It could not be made, or is lost. */
  failed(nowMs: number): void {
    const lasted = this.#readySinceMs !== 0 && nowMs - this.#readySinceMs >= RECOVERED_AFTER_MS
    this.#readySinceMs = 0
    this.#failures = lasted ? 1 : this.#failures + 1
  }

  /** More than one in a row has failed. */
  get areRepeated(): boolean {
    return this.#failures > 1
  }

  /** Milliseconds to wait before the next; longer if the shard is there and `turnedAway` us. */
  delayMs(turnedAway: boolean): number {
    return reconnectDelayMs(this.#failures, turnedAway, Math.random())
  }

  /** Calls `next` after that time. */
  wait(turnedAway: boolean, next: () => void): void {
    this.#timer = setTimeout(next, timerMs(this.delayMs(turnedAway)))
  }

  /** The next attempt comes now, or never. */
  stopWaiting(): void {
    clearTimeout(this.#timer)
  }
}
