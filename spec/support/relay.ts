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
  /** How much later everything arrives, either way, milliseconds. */
  delayMs = 0
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

  /** Keeps what is sent to the server over the connections that there are: they have become slow. */
  holdBack(): void {
    for (const pair of this.#pairs) pair.held ??= []
  }

  /** How much is kept, bytes. */
  get heldBytes(): number {
    const held = [...this.#pairs].flatMap((pair) => pair.held ?? [])
    return held.reduce((sum, { length }) => sum + length, 0)
  }

  /** Sends it after all, though whoever sent it may have left. Resolves when the server has done with those. */
  async letGo(): Promise<void> {
    await Promise.all([...this.#pairs].map((pair) => pair.letGo()))
  }

  /** As `forget`, and on those to come. */
  cut(): void {
    this.#isCut = true
    this.forget()
  }

  /** As `forget`, but answers whatever is sent over them with a RST. */
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
    const pair = new Pair(near, connect(this.target, '127.0.0.1'), () => this.delayMs)
    pair.forgotten = this.#isCut
    this.#pairs.add(pair)
    pair.onceOver(() => this.#pairs.delete(pair))
  }
}

class Pair {
  readonly near: Socket
  readonly far: Socket
  forgotten = false
  rejects = false
  /** What is kept from the server; undefined: nothing is. */
  held: Buffer[] | undefined

  constructor(near: Socket, far: Socket, delayMs: () => number) {
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
        if (from === near && this.held !== undefined) this.held.push(bytes)
        else if (!this.forgotten && !this.rejects) pass(to, bytes, delayMs())
      })
      from.on('error', () => {})
      from.on('close', () => {
        const isKept = from === near && this.held !== undefined
        if (!this.forgotten && !this.rejects && !isKept) to.destroy()
      })
    }
  }

  /** Calls back once when the client has left and nothing is kept any more. */
  onceOver(callback: () => void): void {
    this.near.on('close', () => {
      if (this.held === undefined) callback()
      else this.far.once('close', callback)
    })
  }

  async letGo(): Promise<void> {
    const bytes = Buffer.concat(this.held ?? [])
    this.held = undefined
    if (!this.near.closed) {
      this.far.write(bytes)
      return
    }
    const closed = once(this.far, 'close')
    this.far.end(bytes)
    await closed
  }
}

/** Those that are delayed alike arrive in their order: so do timers of one length. */
function pass(to: Socket, bytes: Buffer, delayMs: number): void {
  if (delayMs === 0) to.write(bytes)
  else setTimeout(() => to.writable && to.write(bytes), delayMs).unref()
}
