/** Makes one frame out of pieces, in a buffer that is used again. */
import type { Frame } from '../../upstream/backend.ts'
import type { Appendable } from '../../upstream/fragment.ts'

const FIRST_BYTES = 4096
/** A larger buffer is let go after its frame. */
const KEPT_BYTES_MAX = 1024 * 1024

/** The frame is valid until the next `begin`. */
export class FrameBuilder implements Appendable, Frame {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  readonly frameStart = 0
  frameEnd = 0
  readonly owned = false

  begin(): void {
    this.frameEnd = 0
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.frameEnd + end - start
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * needed)
      larger.set(this.bytes.subarray(0, this.frameEnd))
      this.bytes = larger
    }
    this.bytes.set(bytes.subarray(start, end), this.frameEnd)
    this.frameEnd = needed
  }
}
