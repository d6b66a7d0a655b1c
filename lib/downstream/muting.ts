/**
 * Which replies a client wants (CLIENT REPLY), in three flags as in Redis (networking.c). OFF lasts
 * until ON. SKIP applies to the next request, even if that is refused, empty or malformed. The flags at
 * the time when a request is handled decide about its reply, whenever that comes.
 */
export class Muting {
  #off = false
  #skip = false
  #skipNext = false
  #emptyRequests: number
  /** Tickets in flight whose replies are dropped, and whether part of the reply has come. */
  readonly #dropped = new Map<number, boolean>()

  /** `emptyRequests`: how many the client has sent so far. */
  constructor(emptyRequests: number) {
    this.#emptyRequests = emptyRequests
  }

  /** Replies that are due now are dropped. */
  get drops(): boolean {
    return this.#off || this.#skip
  }

  /** The client's next request begins, or what should have been one. */
  begin(emptyRequests: number): void {
    // An empty request gets no reply, and takes the place of the one that was to get none.
    this.#skip = this.#skipNext && emptyRequests === this.#emptyRequests
    this.#skipNext = false
    this.#emptyRequests = emptyRequests
  }

  on(): void {
    this.#off = false
    this.#skip = false
  }

  off(): void {
    this.#off = true
  }

  skip(): void {
    if (!this.#off) this.#skipNext = true
  }

  /** RESET, which may itself be the request without a reply. */
  reset(): void {
    this.#off = false
    this.#skipNext = false
  }

  /** The request under way has `ticket`. */
  opened(ticket: number): void {
    if (this.drops) this.#dropped.set(ticket, false)
  }

  /** The reply of `ticket` is dropped. */
  isDropped(ticket: number): boolean {
    return this.#dropped.has(ticket)
  }

  /** A part of it that is not the last has come. */
  partCame(ticket: number): void {
    this.#dropped.set(ticket, true)
  }

  /** Whether a part has come; undefined: the reply is not dropped. */
  hasBegun(ticket: number): boolean | undefined {
    return this.#dropped.get(ticket)
  }

  /** The reply of `ticket` is complete, or is wanted after all. True: it was dropped until now. */
  forget(ticket: number): boolean {
    return this.#dropped.delete(ticket)
  }
}
