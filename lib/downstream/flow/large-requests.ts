/** Large requests of one client in flight, by ticket, and the bytes of all of them: they may lie unsent at a shard. */
import { LARGE_BYTES } from '../../io/outbox.ts'

export class LargeRequests {
  #byTicket: Map<number, number> | undefined
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The request of `ticket`, so long, is in flight. */
  opened(ticket: number, frameBytes: number): void {
    if (frameBytes < LARGE_BYTES) return
    this.#byTicket ??= new Map()
    this.#byTicket.set(ticket, frameBytes)
    this.#bytes += frameBytes
  }

  /** It has its reply. */
  settled(ticket: number): void {
    if (this.#bytes === 0) return
    this.#bytes -= this.#byTicket?.get(ticket) ?? 0
    this.#byTicket?.delete(ticket)
  }
}
