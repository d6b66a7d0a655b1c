/** The GET that a client would send for one key of its MGET: what is kept is found by it. */
import { Chunk, copyToChunk } from '../../io/chunk.ts'
import type { Request } from '../../resp/request.ts'

const UPPER = Buffer.from('*2\r\n$3\r\nGET\r\n')
const LOWER = Buffer.from('*2\r\n$3\r\nget\r\n')
const NAME_START = 8
const NAME_END = 11
/** Set in the small letters of ASCII, not in the large ones. */
const SMALL = 0x20

export class GetRequest implements Request {
  #chunk = new Chunk(256)
  readonly frameStart = 0
  frameEnd = 0
  readonly argc = 2
  readonly offsets = Int32Array.of(NAME_START, NAME_END, 0, 0)

  get bytes(): Buffer {
    return this.#chunk.bytes
  }

  /** Becomes the GET of the key that is this argument of `mget`, in large or small letters as that is. */
  for(mget: Request, argument: number): void {
    const { bytes, offsets } = mget
    const head = ((bytes[offsets[0] as number] as number) & SMALL) === 0 ? UPPER : LOWER
    // The key as it stands in the request, with its header and its end.
    const from = (offsets[2 * argument - 1] as number) + 2
    const keyStart = offsets[2 * argument] as number
    const keyEnd = offsets[2 * argument + 1] as number
    const length = head.length + keyEnd + 2 - from
    if (length > this.#chunk.bytes.length) this.#chunk = new Chunk(2 * length)
    copyToChunk(this.#chunk, 0, head, 0, head.length)
    copyToChunk(this.#chunk, head.length, bytes, from, keyEnd + 2)
    this.frameEnd = length
    this.offsets[2] = head.length + keyStart - from
    this.offsets[3] = length - 2
  }
}
