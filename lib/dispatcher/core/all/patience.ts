/**
 * Requests that cannot begin yet, where places move: a master is away, and it or its heir will be there in a
 * moment. A request waits as long as it may take at most, and its client's later ones wait behind it.
 */
import { resendDelayMs } from '../../../pool/cluster/slot-queues.ts'
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import type { Request } from '../../../resp/request.ts'
import { timerMs } from '../../../timer.ts'
import type { Client } from '../client.ts'

export class Patience {
  readonly #places: MovingPlaces
  /** Until when a client's request may wait; `performance.now()`. */
  readonly #untilMs = new WeakMap<Client, number>()

  constructor(places: MovingPlaces) {
    this.#places = places
  }

  /**
   * Whether the request waits. It is then handled again: when `isUp` says so, or when its time is up, and that
   * is when the answer is no.
   */
  waits(client: Client, request: Request, isUp: () => boolean): boolean {
    const { session } = client
    // The commands of EXEC are carried out one by one, and none is handled twice.
    if (isUp() || client.mode?.replays === true) {
      this.#untilMs.delete(client)
      return false
    }
    const nowMs = performance.now()
    const untilMs = this.#untilMs.get(client) ?? nowMs + this.#places.requestTimeoutMs
    if (untilMs <= nowMs) {
      this.#untilMs.delete(client)
      return false
    }
    session.defer(request)
    // Until its earlier requests are answered others may hold the client, and let it go.
    if (session.inFlight > 0) return true
    this.#untilMs.set(client, untilMs)
    session.hold()
    const look = (looks: number): void => {
      if (session.closed) return
      if (isUp() || untilMs <= performance.now()) session.release()
      else setTimeout(look, timerMs(resendDelayMs(looks)), looks + 1)
    }
    look(0)
    return true
  }
}
