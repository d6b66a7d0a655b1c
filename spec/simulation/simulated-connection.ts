/** lib's own shard connection over simulated sockets, and the books of what it owes to whom. */
import { type Failure, type ShardFailures, shardFailures } from '../../lib/failures.ts'
import type { Outbox } from '../../lib/io/outbox.ts'
import { InHand } from '../../lib/stats/in-hand.ts'
import { ShardStats } from '../../lib/stats/shard-stats.ts'
import { ShardConnection } from '../../lib/upstream/connection/connection.ts'
import type { Attempt } from '../../lib/upstream/connection/connection-options.ts'
import { handshake, loginRequest } from '../../lib/upstream/connection/making/handshake.ts'
import type { ReplySink } from '../../lib/upstream/reply-sink.ts'
import type { ManualTurn } from '../support/manual-turn.ts'
import type { Random } from '../support/random.ts'
import type { SimulatedShard } from './simulated-shard.ts'
import { SimulatedSocket } from './simulated-socket.ts'

const REQUEST_TIMEOUT_MS = 50
/** Longer, so that requests expire while they wait for a connection. */
const CONNECT_TIMEOUT_MS = 100
/** Timers count whole milliseconds. */
const LATE_MS_MAX = 1

const PLAIN = { protocol: 2, database: 0, clientId: false, redirect: false } as const

const NOBODY = { username: undefined, password: undefined } as const

const NOTHING = Buffer.alloc(0)

/** Stands between the connection and whoever asked, and insists that each is told exactly once. */
class Entry implements ReplySink {
  told = false
  readonly deadlineMs: number
  readonly #sink: ReplySink
  readonly #onFailed: (error: Failure) => void

  constructor(sink: ReplySink, deadlineMs: number, onFailed: (error: Failure) => void) {
    this.#sink = sink
    this.deadlineMs = deadlineMs
    this.#onFailed = onFailed
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#tell(last)
    this.#sink.reply(ticket, bytes, start, end, last)
  }

  failed(ticket: number, error: Failure): void {
    this.#tell(true)
    this.#onFailed(error)
    this.#sink.failed(ticket, error)
  }

  #tell(last: boolean): void {
    if (this.told) throw new Error('a request was answered twice')
    this.told = last
  }
}

export class SimulatedConnection {
  readonly shard: SimulatedShard
  readonly errors: ShardFailures
  /** The newest; the connection may have left it. */
  socket: SimulatedSocket
  readonly #connection: ShardConnection
  readonly #manual: ManualTurn
  readonly #random: Random
  readonly #server: { address: { port: number } | undefined; mayMove: boolean; onHold: boolean }
  #outbox: Outbox | undefined
  #entries: Entry[] = []
  /** Renewed, and so far nothing has happened that may cost a request. */
  #renewing = false
  /** While renewing: what the old socket gets at most. */
  #handedMax: number | undefined
  /** The shard moves, and the socket to its old server has not been left yet. */
  #relocating = false
  /** While on hold: which socket there was then, and what it had been handed. */
  #heldSocket: SimulatedSocket | undefined
  #heldAt: number | undefined
  /** What to log in with: the number of a token; 0: not known. Undefined: the shard asks for none. */
  #token: number | undefined
  /** The newest that was ever known. */
  #newestToken = 0
  /** Bytes are on their way from the shard over which it will be given up. */
  #spoilt = false

  constructor(shard: SimulatedShard, manual: ManualTurn, random: Random) {
    this.shard = shard
    this.errors = shardFailures(`s${shard.index}`)
    this.#manual = manual
    this.#random = random
    this.socket = this.#newSocket(
      () => {},
      () => {},
    )
    const mayMove = random.pick([true, false])
    const isKnown = !mayMove || random.pick([true, false])
    this.#server = { address: isKnown ? { port: 1 } : undefined, mayMove, onHold: false }
    if (random.pick([true, false])) this.#token = random.pick([0, this.#nextToken()])
    this.#connection = new ShardConnection({
      server: this.#server,
      attempt: () => this.#attempt(),
      errors: this.errors,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      turn: manual.turn,
      reconnect: true,
      stats: new ShardStats(),
      inHand: new InHand(),
      onStateChange: () => {},
      dial: (_address, onBytes, onOpen) => {
        this.socket = this.#newSocket(onBytes, onOpen)
        this.#renewing = false
        this.#spoilt = false
        return this.socket.asNodeSocket
      },
    })
    this.#connection.connect()
  }

  #attempt(): Attempt {
    const timeoutMs = CONNECT_TIMEOUT_MS
    if (this.#token === 0) return { handshake: undefined, timeoutMs }
    if (this.#token === undefined) {
      return { handshake: handshake({ ...PLAIN, ...NOBODY }), timeoutMs }
    }
    const credentials = { username: 'u', password: `t${this.#token}` }
    const login = loginRequest(credentials)
    return { handshake: handshake({ ...PLAIN, ...credentials }), timeoutMs, login }
  }

  #nextToken(): number {
    this.#newestToken += 1
    return this.#newestToken
  }

  #newSocket(onBytes: (buffer: Buffer, length: number) => void, onOpen: () => void) {
    const socket: SimulatedSocket = new SimulatedSocket(onBytes, onOpen, () => {
      // What had reached the shard may be done all the same.
      if (this.#relocating) {
        this.#relocating = false
        this.shard.move(socket.takeReceived())
        return
      }
      this.shard.receive(socket.takeReceived())
      this.shard.disconnect(this.#random.pick([true, false]))
    })
    return socket
  }

  get ready(): boolean {
    return this.#connection.state === 'ready'
  }

  /** Requests in flight, tombstones included. */
  get inFlight(): number {
    return this.#connection.inFlight
  }

  get unsentBytes(): number {
    return this.#outbox?.waitingBytes ?? 0
  }

  /** `effects`: what the shard will do for it. */
  enter(sink: ReplySink, ticket: number, effects: readonly string[]): Outbox | undefined {
    for (const effect of effects) this.shard.tokens.set(effect, this.#newestToken)
    const deadlineMs = this.#manual.turn.now() + REQUEST_TIMEOUT_MS
    const entry = new Entry(sink, deadlineMs, (error) => this.#onFailed(error))
    this.#entries.push(entry)
    const outbox = this.#connection.enter(entry, ticket)
    if (outbox !== undefined) this.#outbox = outbox
    return outbox
  }

  #onFailed(error: Failure): void {
    if (this.#renewing && error === this.errors.lost) throw new Error('a renewal lost a request')
  }

  /** The shard, or what is between, ends the connection. */
  break(): void {
    this.doubt()
    this.socket.destroy()
    this.socket.sayClosed()
  }

  /** As when the shard's name leads elsewhere. */
  renew(): void {
    if (!this.ready) return
    // Where a request is late, a shard that says nothing is not waited for.
    const owed = this.#entries.filter((entry) => !entry.told).length
    this.#renewing = !this.#spoilt && owed === this.inFlight
    // With bytes that wait it is put off.
    this.#handedMax = this.unsentBytes === 0 ? this.#outbox?.handedBytes : undefined
    this.#connection.renew()
  }

  /** Another server is the shard from now on. */
  relocate(): void {
    if (!this.#server.mayMove) return
    this.doubt()
    const left = this.socket
    this.#server.address = { port: (this.#server.address?.port ?? 0) + 1 }
    this.#server.onHold = false
    this.#relocating = true
    this.#connection.relocate()
    if (this.#relocating) this.shard.move(left.destroyed ? NOTHING : left.takeReceived())
    this.#relocating = false
    if (!left.destroyed && left === this.socket && left.opened) {
      throw new Error('the old server was not left at once')
    }
  }

  /** The shard is about to get another server. */
  hold(): void {
    if (!this.#server.mayMove) return
    this.#server.onHold = true
    this.#heldAt = this.#outbox?.handedBytes
    this.#heldSocket = this.socket
    this.#connection.hold()
  }

  release(): void {
    this.#server.onHold = false
    this.#connection.release()
  }

  /** Another token is there, before the one in use has ended. */
  renewToken(): void {
    if (this.#token === undefined) return
    this.#token = this.#nextToken()
    this.#connection.authenticate()
  }

  /** The token has ended, and no other is there: what is connected goes on. */
  endToken(): void {
    if (this.#token !== undefined) this.#token = 0
  }

  /** Where the shard's server is and what to log in with, is known in the end. */
  settle(): void {
    if (this.#token === 0) this.renewToken()
    if (this.#server.address === undefined) this.relocate()
    if (this.#server.onHold) this.release()
  }

  /** From now on requests may be lost though the connection is being renewed. */
  doubt(): void {
    this.#renewing = false
  }

  /** The shard sends what is no RESP, or a reply too many. */
  sendNonsense(bytes: Buffer): void {
    this.doubt()
    this.#spoilt = true
    this.shard.output.append(bytes)
  }

  /** One step towards a connection, if there is none. */
  getBack(): void {
    this.socket.sayClosed()
    this.socket.open()
  }

  /** When all is quiet: what is connected has logged in with what is known. */
  checkLogin(): void {
    const isLoggedIn = this.#token === undefined || this.shard.lastLogin === this.#token
    if (this.ready && !isLoggedIn) {
      throw new Error(`logged in with token ${this.shard.lastLogin} instead of ${this.#token}`)
    }
  }

  check(): void {
    this.#entries = this.#entries.filter((entry) => !entry.told)
    const owed = this.#entries.length
    if (owed > this.inFlight)
      throw new Error(`${owed} are owed a reply, known are ${this.inFlight}`)
    const handedMax = this.#handedMax ?? Number.POSITIVE_INFINITY
    if (this.#renewing && (this.#outbox?.handedBytes ?? 0) > handedMax) {
      throw new Error('more was handed to a socket that is about to be left')
    }
    const isHeld = this.#server.onHold && this.socket === this.#heldSocket && this.ready
    if (isHeld && this.#outbox !== undefined && this.#outbox.handedBytes > (this.#heldAt ?? 0)) {
      throw new Error('a server on hold was handed more')
    }
    const late = this.#manual.nowMs - LATE_MS_MAX
    if (this.#entries.some(({ deadlineMs }) => deadlineMs < late)) {
      throw new Error('a request outlived its deadline')
    }
  }
}
