/** A client at byte level: sends exactly the bytes it is told to and shows exactly what came back. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { encodeRequest, endOfFrame, latin1 } from './frames.ts'
import { GrowingBytes } from './growing-bytes.ts'
import { ifSpecFails } from './left-behind.ts'

type RawAddress =
  | number
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

/** Connects to a port of 127.0.0.1, or to another address or a unix socket. */
export async function connectRaw(address: RawAddress): Promise<RawClient> {
  const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address)
  const client = new RawClient(socket)
  socket.once(
    'close',
    ifSpecFails(() => client.close()),
  )
  await once(socket, 'connect')
  return client
}

export class RawClient {
  readonly socket: Socket
  readonly #received = new GrowingBytes()
  #ended = false
  #error: Error | undefined
  /** Called after whatever may let a waiting reply() or rest() go on. */
  #wake: () => void = () => {}
  #reader: Promise<unknown> = Promise.resolve()

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    // A spec that failed before closing its client must not keep mocha from ending.
    socket.unref()
    socket.on('data', (chunk: Buffer) => {
      this.#received.append(chunk)
      this.#wake()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#wake()
    })
    socket.on('error', (error) => {
      this.#error = error
      this.#wake()
    })
    socket.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** Bytes received and not yet taken by reply() or rest(). */
  get unreadBytes(): number {
    return this.#received.length
  }

  /** Strings are latin1: one character, one byte. */
  write(bytes: string | Buffer): void {
    this.socket.write(latin1(bytes))
  }

  /** Sends one command and waits for one frame. */
  request(...args: readonly (string | Buffer)[]): Promise<Buffer> {
    this.write(encodeRequest(...args))
    return this.reply()
  }

  /** The next whole frame as bytes, pushes included. Rejects when the connection ends before it. */
  reply(): Promise<Buffer> {
    return this.#read(() => {
      const end = this.#received.length === 0 ? undefined : endOfFrame(this.#received.peek(), 0)
      if (end !== undefined) return this.#received.take(end)
      if (this.#error !== undefined) throw this.#error
      if (!this.#ended) return undefined
      const left = this.#received.peek().toString('latin1', 0, 200)
      throw new Error(`connection ended before a whole reply; received ${JSON.stringify(left)}`)
    })
  }

  /** The next `count` frames, one buffer each. */
  async replies(count: number): Promise<Buffer[]> {
    const frames: Buffer[] = []
    while (frames.length < count) frames.push(await this.reply())
    return frames
  }

  /** All bytes until the other side's FIN. Rejects when the connection is reset instead. */
  rest(): Promise<Buffer> {
    return this.#read(() => {
      if (this.#error !== undefined) throw this.#error
      return this.#ended ? this.#received.take(this.#received.length) : undefined
    })
  }

  /** Waits until the connection is gone, by FIN or by reset. */
  async closed(): Promise<void> {
    // Not events.once(): that rejects on 'error', which comes first when the connection is reset.
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve))
  }

  /** Sends FIN after what was written; goes on receiving. */
  halfClose(): void {
    this.socket.end()
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Stops reading, so that the receive window of the connection fills up. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.closed()
  }

  /** Readers take turns in calling order, so that several replies may be awaited at once. */
  #read<T>(attempt: () => T | undefined): Promise<T> {
    const turn = this.#reader.then(() => this.#until(attempt))
    this.#reader = turn.catch(() => {})
    return turn
  }

  async #until<T>(attempt: () => T | undefined): Promise<T> {
    for (;;) {
      const result = attempt()
      if (result !== undefined) return result
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
