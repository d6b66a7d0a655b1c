/** A way to a server on which every chunk is late by a time of its own, in each direction of each connection. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class DelayingRelay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  #target: number

  private constructor(target: number, delayMs: () => number) {
    this.#target = target
    this.#server = createServer((near) => {
      const far = connect(this.#target, '127.0.0.1')
      this.#pass(near, far, delayMs)
      this.#pass(far, near, delayMs)
    })
    this.#server.unref()
  }

  /** `delayMs`: asked for each chunk. What was sent first arrives first all the same. */
  static async start(target: number, delayMs: () => number): Promise<DelayingRelay> {
    const relay = new DelayingRelay(target, delayMs)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Leads elsewhere from now on, as a name does after a failover. */
  lead(target: number): void {
    this.#target = target
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #pass(from: Socket, to: Socket, delayMs: () => number): void {
    // Timers of different lengths may fire out of turn: each does what is next.
    const waiting: (() => void)[] = []
    const later = (what: () => void): void => {
      waiting.push(what)
      setTimeout(() => waiting.shift()?.(), Math.ceil(delayMs()))
    }
    this.#sockets.add(from)
    from.setNoDelay(true)
    from.on('data', (bytes: Buffer) => later(() => to.write(bytes)))
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      later(() => to.destroy())
    })
  }
}
