/** A turn of the event loop that ends when the spec says so, by a clock that the spec sets. */
import { Turn } from '../../lib/io/turn.ts'

export class ManualTurn {
  nowMs = 0
  readonly turn = new Turn(
    () => this.nowMs,
    (endTurn) => this.#ends.push(endTurn),
  )
  readonly #ends: (() => void)[] = []

  /** Turns that have begun and not ended: 0 or 1, as long as each is scheduled once. */
  get scheduled(): number {
    return this.#ends.length
  }

  /** Ends the turn under way, if any. */
  end(): void {
    this.#ends.shift()?.()
  }
}
