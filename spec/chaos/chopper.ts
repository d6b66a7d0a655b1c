/** A TCP relay that delivers bytes late and in pieces, as bad networks do. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from '../support/random.ts'

export class Chopper {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #mostDelayMs = 0
  #mostBytes = Number.POSITIVE_INFINITY

  constructor(targetPort: number, random: Random) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, '127.0.0.1')
      this.#relay(near, far, random)
      this.#relay(far, near, random)
    })
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** From now on pieces have at most `mostBytes` and come up to `mostDelayMs` late. */
  chop(mostBytes: number, mostDelayMs: number): void {
    this.#mostBytes = mostBytes
    this.#mostDelayMs = mostDelayMs
  }

  /** Breaks all connections, perhaps in the middle of a frame. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #relay(from: Socket, to: Socket, random: Random): void {
    this.#sockets.add(from)
    let queue = Promise.resolve()
    from.setNoDelay(true)
    from.on('data', (bytes: Buffer) => {
      queue = queue.then(() => this.#deliver(bytes, to, random))
    })
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }

  async #deliver(bytes: Buffer, to: Socket, random: Random): Promise<void> {
    for (let at = 0; at < bytes.length && !to.destroyed; ) {
      const most = Math.min(bytes.length - at, this.#mostBytes)
      const length =
        this.#mostBytes === Number.POSITIVE_INFINITY ? most : random.integer(1, most + 1)
      to.write(bytes.subarray(at, at + length))
      at += length
      if (this.#mostDelayMs > 0 && random.integer(0, 20) === 0) {
        await new Promise((resolve) => setTimeout(resolve, random.integer(0, this.#mostDelayMs)))
      }
    }
  }
}
