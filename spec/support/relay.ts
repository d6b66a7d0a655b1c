/**
 * A TCP address that leads to one server now and to another later, as a virtual IP does, and a path that
 * forgets its connections, as a router does whose table is flushed. Real sockets on this machine.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class Relay {
  port = 0
  /** Where new connections lead; those that there are stay where they are. */
  target: number
  /** Connections ever accepted. */
  accepted = 0
  #isCut = false
  readonly #server: Server
  readonly #pairs = new Set<Pair>()

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((near) => this.#accept(near))
    this.#server.unref()
  }

  static async start(target: number): Promise<Relay> {
    const relay = new Relay(target)
    relay.#server.listen(0, '127.0.0.1')
    await once(relay.#server, 'listening')
    relay.port = (relay.#server.address() as AddressInfo).port
    return relay
  }

  /** Connections that are open. */
  get open(): number {
    return this.#pairs.size
  }

  /** Lets nothing more through on the connections that there are: no byte, no FIN, no RST. */
  forget(): void {
    for (const pair of this.#pairs) pair.forgotten = true
  }

  /** The same, and on those to come. */
  cut(): void {
    this.#isCut = true
    this.forget()
  }

  /** The same, but answers whatever is sent over them with a RST. */
  reject(): void {
    for (const pair of this.#pairs) pair.rejects = true
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    await closed
  }

  #accept(near: Socket): void {
    this.accepted++
    const pair = new Pair(near, connect(this.target, '127.0.0.1'))
    pair.forgotten = this.#isCut
    this.#pairs.add(pair)
    near.on('close', () => this.#pairs.delete(pair))
  }
}

class Pair {
  readonly near: Socket
  readonly far: Socket
  forgotten = false
  rejects = false

  constructor(near: Socket, far: Socket) {
    this.near = near
    this.far = far
    near.on('data', () => {
      if (this.rejects) near.resetAndDestroy()
    })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.unref()
      from.setNoDelay(true)
      from.on('data', (bytes: Buffer) => {
        if (!this.forgotten && !this.rejects) to.write(bytes)
      })
      from.on('error', () => {})
      from.on('close', () => {
        if (!this.forgotten && !this.rejects) to.destroy()
      })
    }
  }
}
