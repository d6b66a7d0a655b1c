/**
 * Which replies a client wants (CLIENT REPLY). Three flags, as in Redis (networking.c): what OFF has
 * silenced stays so until ON; SKIP is noted while its own request is executed and concerns the
 * request behind it, whatever becomes of that: refused, empty, or no request at all.
 */
export class Muting {
  #off = false
  #skip = false
  #skipNext = false
  #emptyRequests: number

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
}
