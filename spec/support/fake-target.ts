/**
 * The writing half of a socket as Node has it, without a socket: the kernel takes what is written at
 * once, or later, or part of it at once and the rest later.
 */
import type { ByteTarget } from '../../lib/io/outbox.ts'

type Done = Parameters<ByteTarget['write']>[1]

interface Write {
  readonly bytes: Uint8Array
  readonly done: Done
}

export class FakeTarget implements ByteTarget {
  /** Bytes that the kernel takes before it is full. */
  room = Number.POSITIVE_INFINITY
  /** System calls. */
  batches = 0
  /** As Node counts: a batch counts whole until the kernel has all of it. */
  writableLength = 0
  readonly #received: Buffer[] = []
  #corked: Write[] | undefined
  /** The batch of which the kernel has not taken all. */
  #batch: Write[] | undefined
  /** How much of it has been taken. */
  #taken = 0
  /** Callbacks of writes that are done; Node calls them on its next tick. */
  #callbacks: (() => void)[] = []

  /** All bytes that the kernel has taken. */
  get received(): Buffer {
    return Buffer.concat(this.#received)
  }

  /** What the kernel has taken since the last time. */
  takeReceived(): Buffer {
    const { received } = this
    this.#received.length = 0
    return received
  }

  get receivedBytes(): number {
    return this.#received.reduce((sum, bytes) => sum + bytes.length, 0)
  }

  get writing(): boolean {
    return this.#batch !== undefined
  }

  write(bytes: Uint8Array, done: Done = () => {}): void {
    if (bytes.length === 0) throw new Error('an empty write is a wasted one')
    this.writableLength += bytes.length
    if (this.#corked === undefined) this.#begin([{ bytes, done }])
    else this.#corked.push({ bytes, done })
  }

  cork(): void {
    this.#corked = []
  }

  uncork(): void {
    const writes = this.#corked ?? []
    this.#corked = undefined
    this.#begin(writes)
  }

  /** Lets the kernel take `bytes` more, as the other side reads. */
  makeRoom(bytes: number): void {
    this.room += bytes
    this.#take()
  }

  /** The socket breaks: what is under way ends with an error. */
  fail(): void {
    const batch = this.#batch ?? []
    this.#batch = undefined
    this.writableLength = 0
    for (const { done } of batch) done(new Error('write EPIPE'))
  }

  /** Runs the callbacks that are due. */
  tick(): void {
    for (const callback of this.#callbacks.splice(0)) callback()
  }

  #begin(batch: Write[]): void {
    if (this.#batch !== undefined) throw new Error('a second write while one is under way')
    this.batches += 1
    this.#batch = batch
    this.#take()
  }

  /** Reads the bytes no earlier than the kernel would: whoever overwrites them meanwhile is caught. */
  #take(): void {
    const batch = this.#batch
    if (batch === undefined) return
    const all = Buffer.concat(batch.map(({ bytes }) => bytes))
    const part = all.subarray(this.#taken, this.#taken + this.room)
    this.#received.push(part)
    this.room -= part.length
    this.#taken += part.length
    if (this.#taken < all.length) return
    this.#batch = undefined
    this.#taken = 0
    this.writableLength -= all.length
    this.#callbacks.push(...batch.map(({ done }) => done))
  }
}
