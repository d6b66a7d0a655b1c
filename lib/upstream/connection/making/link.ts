/**
 * The socket to a shard's server, from one attempt to the next: it is dialled and greeted within a time, asked
 * whether it still works when it has lain idle, and knows why there is none. No request passes by here.
 */
import type net from 'node:net'
import { LEASE_PROBE_MS, SHARD_KEEPALIVE_MS } from '../../../limits.ts'
import { timerMs } from '../../../timer.ts'
import type { ConnectionOptions } from '../connection-options.ts'
import { dial, dialProblem, isDistrust } from './dial.ts'
import { Greeting } from './greeting.ts'

export interface LinkOwner {
  readonly onBytes: (buffer: Buffer, length: number) => void
  /** The attempt has taken too long and is given up; `onClosed` follows. */
  readonly onLate: () => void
  /** There is no socket any more. */
  readonly onClosed: () => void
}

export class Link {
  readonly #options: ConnectionOptions
  readonly #owner: LinkOwner
  readonly #greeting = new Greeting()
  #socket: net.Socket | undefined
  /** Of the attempt, or of the probe. */
  #timer: NodeJS.Timeout | undefined
  #incarnation = 0
  #openedMs = 0
  #reason: string | undefined
  #isRejected = false
  /** The greeting was sent. */
  #isGreeted = false
  /** There is no TLS between us, though there is a connection. */
  #isDistrusted = false

  constructor(options: ConnectionOptions, owner: LinkOwner) {
    this.#options = options
    this.#owner = owner
  }

  /** Perhaps not connected yet. */
  get socket(): net.Socket | undefined {
    return this.#socket
  }

  /** Increases with each attempt. */
  get incarnation(): number {
    return this.#incarnation
  }

  /** When the attempt began; the turn's clock. */
  get openedMs(): number {
    return this.#openedMs
  }

  /** As in Greeting. */
  get shardClientId(): string | undefined {
    return this.#greeting.shardClientId
  }

  /** As in Greeting. */
  get notServing(): string | undefined {
    return this.#greeting.notServing
  }

  /** Why it does not work, or soon will not; undefined while that is not known. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** The reason, as the shard words it, if it has turned us away. */
  get rejection(): string | undefined {
    return this.#isRejected ? this.#reason : undefined
  }

  /** The shard is there and does not take us, or is not the one that we mean. */
  get isTurnedAway(): boolean {
    return this.#isRejected || this.#isDistrusted
  }

  /** Another attempt begins. False: the server's address is unknown. */
  open(): boolean {
    const { server, turn, attempt } = this.#options
    const { timeoutMs } = attempt()
    this.#greeting.reset()
    this.#incarnation++
    this.#openedMs = turn.now()
    this.#reason = undefined
    this.#isRejected = false
    this.#isGreeted = false
    this.#isDistrusted = false
    clearTimeout(this.#timer)
    if (server.address === undefined) {
      this.#reason = 'its server is not known'
      return false
    }
    const connect = this.#options.dial ?? dial
    const socket = connect(server.address, this.#owner.onBytes, () => this.#greet(socket))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, SHARD_KEEPALIVE_MS)
    socket.on('error', (error) => {
      this.#reason ??= dialProblem(error)
      this.#isDistrusted = isDistrust(error)
    })
    socket.on('close', () => this.#onClose(socket))
    this.#socket = socket
    this.#timer = setTimeout(() => this.#onLate(), timerMs(timeoutMs))
    return true
  }

  #onLate(): void {
    this.giveUp()
    this.#owner.onLate()
  }

  /** The attempt has taken too long; the reason says how far it came. `onClosed` follows. */
  giveUp(): void {
    this.abandon(`connect timed out${this.#silenceText()}`)
  }

  /** Without TLS the greeting is sent as soon as there is a connection. */
  #silenceText(): string {
    if (this.#isGreeted) return ': it takes connections and does not answer'
    if (this.#socket?.connecting !== false) return ''
    return ': it takes connections and does not answer TLS. Does it speak TLS?'
  }

  #onClose(socket: net.Socket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    // What waits for the next one is not told that this one is silent.
    clearTimeout(this.#timer)
    this.#owner.onClosed()
  }

  #greet(socket: net.Socket): void {
    const request = this.#greeting.begin(this.#options.attempt().handshake)
    this.#reason = request === undefined ? 'its credentials are not known' : undefined
    if (request === undefined) return
    this.#isGreeted = true
    socket.write(request)
  }

  /** There are other credentials, and the greeting is not over. */
  authenticate(): void {
    if (this.#socket !== undefined && this.#greeting.credentialsChanged()) this.#greet(this.#socket)
  }

  /** Asks whether the socket, which has lain idle, still works; it is closed if there is no answer. */
  probe(): void {
    this.#socket?.write(this.#greeting.beginProbe())
    this.#timer = setTimeout(() => {
      this.#options.signs?.silent(this.#options.turn.now())
      this.#socket?.destroy()
    }, LEASE_PROBE_MS)
  }

  /** The next reply to the greeting, or a part of it. `failed`: it was the last, and the socket is closed. */
  greeted(reply: Buffer, isWhole: boolean): 'more' | 'made' | 'failed' {
    const step = this.#greeting.take(reply, isWhole)
    switch (step.kind) {
      case 'more':
        return 'more'
      case 'done':
        this.#made()
        return 'made'
      case 'again':
        if (this.#socket !== undefined) this.#greet(this.#socket)
        return 'more'
      case 'wish refused':
        this.#isRejected = true
        this.#reason = step.reason
        return 'more'
      case 'malformed':
        break
      case 'refused':
        this.#isRejected = true
        this.#options.onLogin?.({ reason: step.reason, atConnect: true })
        break
      case 'turned away':
        this.#isRejected = true
        break
    }
    this.abandon(step.reason)
    return 'failed'
  }

  #made(): void {
    clearTimeout(this.#timer)
    this.#reason = undefined
    this.#isRejected = false
  }

  /** It is of no use any more, for this reason unless there has been one before. `onClosed` follows. */
  abandon(reason: string): void {
    this.#reason ??= reason
    this.#socket?.destroy()
  }

  /** Nothing more is expected of the greeting. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#greeting.stop()
  }
}
