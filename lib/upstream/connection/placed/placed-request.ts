/** A request for a place that moves, as the slots of a cluster do, and whose it is. */
import type { ReplySink } from '../../reply-sink.ts'

/** Whose requests they are. */
export interface PlacedClient {
  /** Its requests so far, which numbers them, wherever they are sent. */
  sent: number
}

/** One of them, as the FIFO has it. */
export interface PlacedRequest {
  readonly client: PlacedClient
  /** Among its client's. */
  readonly number: number
  readonly place: number
  readonly sink: ReplySink
  readonly ticket: number
  /** The turn's clock. */
  readonly deadlineMs: number
  /** Its bytes are `[start, end)` of the connection's stream. */
  readonly start: number
  readonly end: number
}
