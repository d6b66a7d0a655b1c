/** A queue of bytes that grows by doubling, so that collecting 50 MB in small chunks stays linear. */
export class GrowingBytes {
  #bytes = Buffer.alloc(4096)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  append(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length)
    this.#end += chunk.copy(this.#bytes, this.#end)
  }

  /** A view of everything held; valid until the next call. */
  peek(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  /** Removes the first `length` bytes and returns a copy of them. */
  take(length: number): Buffer {
    const taken = Buffer.from(this.peek().subarray(0, length))
    this.#start += length
    return taken
  }

  #makeRoom(extra: number): void {
    const held = this.peek()
    const next = Buffer.alloc(2 * (held.length + extra))
    held.copy(next)
    this.#bytes = next
    this.#end = held.length
    this.#start = 0
  }
}
