/** How many bytes of replies may wait for one client: as many as for all others, fewer, or more. */
import { CLIENT_OUTPUT_BYTES_MARK, CLIENT_OUTPUT_BYTES_MAX } from '../../limits.ts'

export class OutputBounds {
  #markBytes = CLIENT_OUTPUT_BYTES_MARK
  #bytesMax = CLIENT_OUTPUT_BYTES_MAX

  /** With more than this waiting for the client no request of it is handled. */
  get markBytes(): number {
    return this.#markBytes
  }

  /** With more than this it is closed at the next reply. */
  get bytesMax(): number {
    return this.#bytesMax
  }

  /** No request is handled while any byte waits. */
  get isRestrained(): boolean {
    return this.#markBytes === 0
  }

  /** More may wait than usual. */
  get isRaised(): boolean {
    return this.#markBytes > CLIENT_OUTPUT_BYTES_MARK
  }

  restrain(): void {
    this.#allow(0)
  }

  reset(): void {
    this.#allow(CLIENT_OUTPUT_BYTES_MARK)
  }

  /** `bytes` more may wait than the `outputBytes` that do. */
  raise(outputBytes: number, bytes: number): void {
    // A few steps lead far, for each costs the client a wait.
    this.#allow(outputBytes + Math.min(bytes, 3 * outputBytes))
  }

  #allow(markBytes: number): void {
    this.#markBytes = markBytes
    this.#bytesMax = CLIENT_OUTPUT_BYTES_MAX + Math.max(0, markBytes - CLIENT_OUTPUT_BYTES_MARK)
  }
}
