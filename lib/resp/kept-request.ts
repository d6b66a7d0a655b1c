/** A request that outlives the call that received it: a copy of its bytes and offsets. */
import type { Request } from './request.ts'

export class KeptRequest implements Request {
  readonly bytes: Buffer
  readonly frameStart = 0
  readonly frameEnd: number
  readonly argc: number
  readonly offsets: Int32Array
  /** The copy never changes. */
  readonly owned = true

  constructor(request: Request) {
    const { bytes, frameStart, frameEnd, argc, offsets } = request
    this.bytes = Buffer.from(bytes.subarray(frameStart, frameEnd))
    this.frameEnd = frameEnd - frameStart
    this.argc = argc
    this.offsets = offsets.slice(0, 2 * argc)
    for (let i = 0; i < 2 * argc; i++) this.offsets[i] = (this.offsets[i] as number) - frameStart
  }
}
