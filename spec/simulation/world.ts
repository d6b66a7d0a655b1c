/**
 * Clients, sessions, connections and shards in one process, without a socket or a clock: everything
 * that may happen in any order happens in a random one, and a seed repeats it.
 */
import { latin1 } from '../support/frames.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { ManualTurn } from '../support/manual-turn.ts'
import { createRandom, type Random } from '../support/random.ts'
import { GARBAGE } from '../support/scan.ts'
import { SimulatedClient } from './simulated-client.ts'
import { SimulatedConnection } from './simulated-connection.ts'
import { SimulatedSession } from './simulated-session.ts'
import { SimulatedShard } from './simulated-shard.ts'

const STEPS = 400
const REAL_RANDOM = Math.random
const QUIET_ROUNDS_MAX = 1000
/** The last is longer than a shard may be silent that owes replies. */
const MOMENTS_MS = [1, 1, 1, 1, 5, 5, 5, 20, 20, 20, 60, 60, 60, 120, 11_000]
/** Longer than the pause between attempts to connect. */
const AFTER_ANY_PAUSE_MS = 2001
const NO_RESP = ['^', '$-2\r\n', ':x\r\n', '*1\r\n?', '$1\r\nxyz'].map(latin1)
const PUSH = latin1('>2\r\n+invalidate\r\n*1\r\n+k\r\n')

export class World {
  readonly #random: Random
  readonly #manual = new ManualTurn()
  readonly #timers = new ManualTimers()
  readonly #connections: SimulatedConnection[]
  readonly #clients: SimulatedClient[] = []
  /** One for all sockets, overwritten after each read. */
  readonly #readBuffer = Buffer.alloc(65_536)
  #clientsMade = 0

  constructor(seed: number) {
    this.#random = createRandom(seed)
    const shards = Array.from(
      { length: this.#random.integer(1, 4) },
      (_, i) => new SimulatedShard(i),
    )
    this.#timers.install(true)
    // The jitter of a shard connection's backoff.
    Math.random = () => this.#random.next()
    this.#connections = shards.map(
      (shard) => new SimulatedConnection(shard, this.#manual, this.#random),
    )
    for (let i = this.#random.integer(1, 5); i > 0; i -= 1) this.#join()
  }

  /** Runs to the end and throws when a promise is broken. */
  run(): void {
    try {
      this.#runToTheEnd()
    } finally {
      this.#timers.restore()
      Math.random = REAL_RANDOM
    }
  }

  #runToTheEnd(): void {
    for (let step = 0; step < STEPS; step += 1) {
      try {
        this.#step()
        this.#check()
      } catch (error) {
        throw new Error(`step ${step}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        })
      }
    }
    this.#becomeQuiet()
    this.#checkQuiet()
  }

  #step(): void {
    const random = this.#random
    const choice = random.integer(0, 1000)
    if (choice < 200) this.#ask()
    else if (choice < 350) this.#deliverRequests(random.pick(this.#clients), this.#someBytes())
    else if (choice < 500) this.#manual.end()
    else if (choice < 620) this.#reachShard(random.pick(this.#connections), random.integer(0, 5))
    else if (choice < 800) this.#deliverReplies(random.pick(this.#connections), this.#someBytes())
    else if (choice < 870) this.#readReplies(random.pick(this.#clients))
    else if (choice < 930) this.#kernel()
    else if (choice < 960) this.#passTime(random.pick(MOMENTS_MS))
    else this.#misfortune()
  }

  #someBytes(): number {
    return this.#random.pick([1, 2, 10, 100, 1000, 30_000, 65_536])
  }

  #ask(): void {
    const client = this.#random.pick(this.#clients)
    for (let i = this.#random.pick([1, 1, 3, 20]); i > 0; i -= 1) client.ask(this.#random)
  }

  #kernel(): void {
    const target = this.#random.pick([
      ...this.#connections.map((connection) => connection.socket),
      ...this.#clients.map((client) => client.session.target),
    ])
    target.room = this.#random.pick([0, 10, 10_000, Number.POSITIVE_INFINITY])
    target.makeRoom(this.#random.pick([0, 1, 1000, 100_000]))
    target.tick()
  }

  #passTime(ms: number): void {
    // Timers run between turns.
    while (this.#manual.scheduled > 0) this.#manual.end()
    this.#manual.nowMs += ms
    // A silent shard may be given up.
    for (const connection of this.#connections) connection.doubt()
    this.#timers.advance(ms)
  }

  #misfortune(): void {
    const random = this.#random
    const connection = random.pick(this.#connections)
    const { shard } = connection
    switch (random.integer(0, 20)) {
      case 0:
        this.#leave(random.pick(this.#clients))
        break
      case 1:
        connection.break()
        break
      case 2:
      case 3:
        connection.renew()
        break
      case 4:
        if (connection.ready) shard.output.append(PUSH)
        break
      case 5:
        this.#sendNonsense(connection, random.pick(NO_RESP))
        break
      case 6:
        this.#sendStray(connection)
        break
      case 7:
        connection.relocate()
        break
      case 8:
        connection.hold()
        break
      case 9:
        connection.release()
        break
      case 10:
        shard.executeLate()
        break
      case 11:
      case 12:
        connection.renewToken()
        break
      case 13:
        connection.endToken()
        break
      case 14:
        shard.refusals = 1
        connection.renewToken()
        break
      default:
        connection.getBack()
    }
  }

  #sendNonsense(connection: SimulatedConnection, bytes: Buffer): void {
    if (connection.socket.passes) connection.sendNonsense(bytes)
  }

  /** A reply that nobody asked for, where that can be known: nothing is pending when it arrives. */
  #sendStray(connection: SimulatedConnection): void {
    if (!connection.ready || connection.inFlight > 0) return
    this.#sendNonsense(connection, latin1('+STRAY\r\n'))
    this.#deliverReplies(connection, 65_536)
    if (connection.ready) throw new Error('a stray reply was overlooked')
  }

  #join(): void {
    const session = new SimulatedSession(this.#manual, this.#connections)
    this.#clientsMade += 1
    this.#clients.push(new SimulatedClient(this.#clientsMade, session, this.#connections))
  }

  /** A client goes in the midst of everything; another comes. */
  #leave(client: SimulatedClient): void {
    this.#readReplies(client)
    client.session.close()
    this.#join()
  }

  #deliverRequests(client: SimulatedClient, bytesMax: number): void {
    const { session, outgoing } = client
    const bytes = outgoing.take(Math.min(bytesMax, outgoing.length))
    if (bytes.length === 0 || session.closed) return
    this.#read(bytes, (buffer, length) => session.receive(buffer, length))
  }

  #reachShard(connection: SimulatedConnection, requestsMax: number): void {
    if (!connection.socket.passes) return
    connection.shard.receive(connection.socket.takeReceived())
    connection.shard.execute(requestsMax)
  }

  #deliverReplies(connection: SimulatedConnection, bytesMax: number): void {
    const { output } = connection.shard
    if (output.length === 0 || !connection.socket.passes) return
    const bytes = output.take(Math.min(bytesMax, output.length))
    this.#read(bytes, (buffer, length) => connection.socket.read(buffer, length))
  }

  #readReplies(client: SimulatedClient): void {
    client.receive(client.session.target.takeReceived())
  }

  #read(bytes: Buffer, use: (buffer: Buffer, length: number) => void): void {
    bytes.copy(this.#readBuffer)
    use(this.#readBuffer, bytes.length)
    this.#readBuffer.fill(GARBAGE, 0, bytes.length)
  }

  #check(): void {
    for (const connection of this.#connections) connection.check()
    for (const { id, session } of this.#clients) {
      if (session.queue.heldBytes < 0) throw new Error(`client ${id} holds fewer bytes than none`)
    }
  }

  /** No more requests and no more misfortune: everything that is owed arrives. */
  #becomeQuiet(): void {
    for (let round = 0; round < QUIET_ROUNDS_MAX; round += 1) {
      for (const connection of this.#connections) {
        connection.settle()
        connection.getBack()
        connection.socket.makeRoom(Number.POSITIVE_INFINITY)
        connection.socket.tick()
        this.#reachShard(connection, Number.POSITIVE_INFINITY)
        this.#deliverReplies(connection, 65_536)
      }
      for (const client of this.#clients) {
        client.session.target.makeRoom(Number.POSITIVE_INFINITY)
        client.session.target.tick()
        this.#deliverRequests(client, 65_536)
        this.#readReplies(client)
      }
      this.#manual.end()
      this.#check()
      if (this.#isQuiet()) return
      if (this.#connections.some(({ socket }) => socket.destroyed))
        this.#passTime(AFTER_ANY_PAUSE_MS)
    }
    throw new Error('somebody waits for ever')
  }

  #isQuiet(): boolean {
    const idle = this.#connections.every(
      ({ inFlight, shard }) => inFlight + shard.output.length === 0,
    )
    const answered = this.#clients.every(
      ({ session, outgoing, waitingFor }) => session.closed || outgoing.length + waitingFor === 0,
    )
    return idle && answered && this.#manual.scheduled === 0
  }

  #checkQuiet(): void {
    for (const connection of this.#connections) connection.checkLogin()
    for (const { shard } of this.#connections)
      if (this.#random.pick([true, false])) shard.executeLate()
    const left = this.#connections.map(({ unsentBytes }) => unsentBytes)
    for (const { session } of this.#clients) {
      const { queue, outbox, scanner } = session
      left.push(queue.length, queue.heldBytes, outbox.waitingBytes)
      if (!session.closed) left.push(scanner.heldBytes)
    }
    if (left.some((count) => count !== 0)) throw new Error(`left at the end: ${left}`)
    const done = (effect: string): number =>
      this.#connections.reduce((sum, { shard }) => sum + (shard.done.get(effect) ?? 0), 0)
    for (const client of this.#clients) client.checkClaims(done)
  }
}
