/**
 * Keeps the requests of one connection for places that move, as the slots of a cluster do, until their replies
 * have come: whoever keeps the places may have to send one of them elsewhere.
 */
import type { Failure } from '../../../failures.ts'
import type { ByteCount, Outbox } from '../../../io/outbox.ts'
import type { ReplySink } from '../../reply-sink.ts'
import type { Fifo } from '../fifo.ts'
import type { PlacedRequest } from './placed-request.ts'
import { type KeptBytes, SentBytes, StreamReader } from './sent-bytes.ts'

/** Takes care of requests for places that move, once something else than a reply has come of one. */
export interface PlaceKeeper {
  /** Whether the error says that the server has not executed what `bytes[start, end)` answers. */
  isRefusal(bytes: Buffer, start: number, end: number): boolean
  /** Takes over a request that is under way here, and its bytes. Returns who gets what comes of it here. */
  takeOver(request: PlacedRequest, bytes: KeptBytes): ReplySink
  /** Some were lost here, or have timed out. */
  failed(failure: Failure): void
}

export class Keeping {
  readonly #keeper: PlaceKeeper
  readonly #fifo: Fifo
  readonly #outbox: Outbox
  readonly #sent: SentBytes

  /** From now on bytes that leave the outbox are kept, and counted in `count`. */
  constructor(keeper: PlaceKeeper, fifo: Fifo, outbox: Outbox, count: ByteCount) {
    this.#keeper = keeper
    this.#fifo = fifo
    this.#outbox = outbox
    this.#sent = new SentBytes(count)
    outbox.keepIn(this.#sent)
  }

  /** An error, `bytes[start, end)`, answers the oldest request, which gets it next. */
  erred(bytes: Buffer, start: number, end: number): void {
    if (this.#fifo.headIsPlaced && this.#keeper.isRefusal(bytes, start, end)) this.handOver()
  }

  /** What was sent before `position` of the stream has been answered. */
  release(position: number): void {
    this.#sent.release(position)
  }

  /** Requests for places that move, from stream position `from` on, are the keeper's from now on. */
  handOver(from = 0): void {
    if (!this.#fifo.hasPlaced) return
    const stream = new StreamReader([...this.#sent.pieces, ...this.#outbox.unsent])
    this.#fifo.handOver(from, this.#outbox.position, (request) => {
      return this.#keeper.takeOver(request, stream.keep(request.start, request.end))
    })
  }

  /** The oldest requests are about to fail. */
  fails(failure: Failure): void {
    if (this.#fifo.headIsPlaced) this.#keeper.failed(failure)
  }
}
