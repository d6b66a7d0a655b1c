/**
 * Whether the socket of a client is read. It is paused while too many bytes wait that may not be handled
 * yet, and held while there is no room for the rest of a large request.
 */

/** What is needed of the socket. */
export interface Readable {
  pause(): unknown
  resume(): unknown
}

/** Where pauses are counted. */
export interface PauseCount {
  pauses: number
}

export class Intake {
  readonly #count: PauseCount
  #socket: Readable | undefined
  #isPaused = false
  #isHeld = false
  #isFirst = false

  constructor(count: PauseCount) {
    this.#count = count
  }

  start(socket: Readable): void {
    this.#socket = socket
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** A large request is half there, and there is no room for the other half now. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Its large request may use the remaining room. */
  get isFirst(): boolean {
    return this.#isFirst
  }

  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#stop()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket?.resume()
  }

  hold(): void {
    if (this.#isHeld || this.#isPaused) return
    this.#isHeld = true
    this.#stop()
  }

  /** `first`: it may go on though there is little room. */
  release(first: boolean): void {
    this.#isFirst = first
    if (!this.#isHeld) return
    this.#isHeld = false
    if (!this.#isPaused) this.#socket?.resume()
  }

  /** The socket is gone, or its bytes are dropped: it is not paused any more. */
  end(): void {
    this.#socket = undefined
  }

  #stop(): void {
    this.#count.pauses++
    this.#socket?.pause()
  }
}
