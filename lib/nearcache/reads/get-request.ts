/**
 * The GET that a client would send for one key of its MGET: what is kept is found by it. The key with its header and
 * its end stands in the MGET as in the GET, so that a GET that is only looked for need not be made.
 */
import { Chunk, copyToChunk } from '../../io/chunk.ts'
import type { Request } from '../../resp/request.ts'
import type { ReadRequest } from '../cache-client.ts'

/** What stands before the key's header. */
const UPPER = Buffer.from('*2\r\n$3\r\nGET\r\n')
const LOWER = Buffer.from('*2\r\n$3\r\nget\r\n')
const NAME_START = 8
const NAME_END = 11
/** Set in the small letters of ASCII, not in the large ones. */
const SMALL = 0x20

export class GetRequest implements ReadRequest {
  #chunk = new Chunk(256)
  readonly frameStart = 0
  frameEnd = 0
  readonly argc = 2
  readonly offsets = Int32Array.of(NAME_START, NAME_END, 0, 0)
  readonly owned = false
  /** What it is made of: its head, and behind it `mget[tailStart, tailEnd)`, in which the key is. */
  head = UPPER
  mget: Buffer = UPPER
  tailStart = 0
  keyStart = 0
  keyEnd = 0
  tailEnd = 0

  /** Becomes the GET of the key that is this argument of `mget`, in large or small letters as that is. */
  for({ bytes, offsets }: Request, argument: number): void {
    const isUpper = ((bytes[offsets[0] as number] as number) & SMALL) === 0
    this.head = isUpper ? UPPER : LOWER
    this.mget = bytes
    this.tailStart = (offsets[2 * argument - 1] as number) + 2
    this.keyStart = offsets[2 * argument] as number
    this.keyEnd = offsets[2 * argument + 1] as number
    this.tailEnd = this.keyEnd + 2
  }

  /** Becomes a request that can be sent. */
  make(): this {
    const { head, mget, tailStart, tailEnd } = this
    const length = head.length + tailEnd - tailStart
    if (length > this.#chunk.bytes.length) this.#chunk = new Chunk(2 * length)
    copyToChunk(this.#chunk, 0, head, 0, head.length)
    copyToChunk(this.#chunk, head.length, mget, tailStart, tailEnd)
    this.frameEnd = length
    this.offsets[2] = head.length + this.keyStart - tailStart
    this.offsets[3] = length - 2
    return this
  }

  get bytes(): Buffer {
    return this.#chunk.bytes
  }
}
