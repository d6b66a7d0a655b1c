/**
 * One client connection: reads its requests, hands them on one by one, and writes the replies in
 * their order. It stops reading from a client that has too much in flight or does not read its
 * replies; other clients do not notice.
 *
 * From top to bottom: the way of each request (`onBytes`, `#pump`) with what may stop it, the way of each
 * reply (`open`, `reply`, `#onSettled`), and the end. These share their fields and are hot, so they are here
 * together. Then come facts about the client, and last what the watch over all clients asks. How much may be
 * under way is counted in `flow/`, which replies are wanted in `muting.ts`.
 */
import type net from 'node:net'
import { errorFrame, errorText } from '../errors.ts'
import { type Failure, REQUEST_TOO_LARGE } from '../failures.ts'
import { ARENA_BYTES, CHUNK_BYTES } from '../io/chunk.ts'
import { Outbox, type OutboxOwner } from '../io/outbox.ts'
import { unsentBytes } from '../io/preallocated-read.ts'
import type { Flushable, Turn } from '../io/turn.ts'
import { BACKLOG_BYTES_MAX, BLOCKED_BACKLOG_BYTES_MAX, WINDOW_REQUEST_BYTES } from '../limits.ts'
import { KeptRequest } from '../resp/kept-request.ts'
import type { Request } from '../resp/request.ts'
import { RequestScanner } from '../resp/request-scanner.ts'
import type { CutOffReason } from '../stats/cut-offs.ts'
import { type ErrorKind, isError } from '../stats/error-kinds.ts'
import type { InHand } from '../stats/in-hand.ts'
import { UNTIMED } from '../stats/latencies.ts'
import type { Stats } from '../stats/stats.ts'
import { addressText } from './address-text.ts'
import type { WatchedClient } from './client-watch.ts'
import { Farewell } from './flow/farewell.ts'
import { Intake } from './flow/intake.ts'
import { KeptRest, LENT_REST_BYTES_MIN } from './flow/kept-rest.ts'
import { LargeRequests } from './flow/large-requests.ts'
import { OutputBounds } from './flow/output-bounds.ts'
import type { SoleClient } from './flow/sole-client.ts'
import { Window } from './flow/window.ts'
import { Muting } from './muting.ts'
import { ReplyQueue, type SettleWatch } from './reply-queue.ts'
import { Room } from './room.ts'

/** Handles a session's requests. */
export interface RequestHandler {
  /**
   * Opens exactly one reply (`open` or `answer`), or asks to get the request again (`defer`), or
   * closes the session. Synchronous.
   */
  handle(request: ScannedRequest): void
  /** The connection is gone. */
  closed(): void
}

/** A request, and whether its bytes stay as they are after the call. */
export interface ScannedRequest extends Request {
  readonly owned: boolean
}

/** The reply of a request that gets none. */
const NOTHING = Buffer.alloc(0)

/** A TLS record of a handshake starts with this byte; no request does. */
const TLS_HANDSHAKE = 0x16

const UNBOUNDED = new Room(() => Number.POSITIVE_INFINITY)

export class Session implements Flushable, OutboxOwner, WatchedClient {
  readonly id: number
  /** Bytes that others keep for this client, counted as its memory. */
  keptBytes = 0
  readonly #stats: Stats
  readonly #inHand: InHand
  readonly #soleClient: SoleClient
  readonly #turn: Turn
  readonly #scanner: RequestScanner
  readonly #room: Room
  readonly #outbox: Outbox
  readonly #queue: ReplyQueue
  readonly #window: Window
  readonly #bounds = new OutputBounds()
  readonly #large = new LargeRequests()
  readonly #intake: Intake
  readonly #rest = new KeptRest()
  #handler: RequestHandler | undefined
  #onClosed: () => void = () => {}
  #socket: net.Socket | undefined
  /** Bytes of replies that are collected for it. */
  #collectedBytes = 0
  /** A request that is to be handled again once all earlier ones are answered. */
  #deferred: KeptRequest | undefined
  #held = false
  /** While held: the client's FIN ends the session at once. */
  #abandonable = false
  /** Bytes that came while no request may be handled are kept in the scanner. */
  #waiting = false
  #resumeAsked = false
  /** The client has sent all it will send. */
  #ended = false
  /** Close as soon as the replies owed are out; nothing more is handled. */
  #closing = false
  /** There once its last reply is out. */
  #farewell: Farewell | undefined
  #closed = false
  /** There for clients that have asked for fewer replies. */
  #muting: Muting | undefined
  /** Length of the request under way. */
  #frameBytes = 0
  /** When the client last sent something; the turn's clock. */
  #lastReadMs = 0

  constructor(id: number, turn: Turn, stats: Stats, soleClient: SoleClient, room = UNBOUNDED) {
    this.id = id
    this.#room = room
    this.#scanner = new RequestScanner(room)
    this.#turn = turn
    this.#stats = stats
    this.#inHand = stats.inHand
    this.#soleClient = soleClient
    this.#window = new Window(soleClient)
    this.#intake = new Intake(stats)
    this.#outbox = new Outbox(turn, this, stats.toClients)
    this.#queue = new ReplyQueue(this.#outbox, stats.inHand, stats.latencies)
  }

  /** Starts with the socket whose bytes go to `onBytes`, and with who deals with the requests. */
  start(socket: net.Socket, handler: RequestHandler, onClosed: () => void): void {
    this.#socket = socket
    this.#intake.start(socket)
    this.#handler = handler
    this.#onClosed = onClosed
    this.#lastReadMs = this.#turn.now()
    socket.on('end', () => this.#onEnd())
    // The error itself does not matter: 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.#onClose())
    this.#outbox.open(socket)
  }

  /** Takes what the client sent: `buffer[0, length)`, valid during the call only. */
  onBytes(buffer: Buffer, length: number): void {
    if (this.#closing || this.#closed) return
    this.#stats.bytesFromClients += length
    if (this.#waiting) {
      this.#scanner.feedMore(buffer, length)
      this.#pauseIfFull()
      return
    }
    if (buffer[0] === TLS_HANDSHAKE && !this.#scanner.midFrame) {
      this.destroy()
      return
    }
    // The turn's clock starts here, so that deadlines count from the moment a request came in.
    const nowMs = this.#turn.now()
    this.#lastReadMs = nowMs
    this.#soleClient.heard(this.id, nowMs)
    this.#window.bound(nowMs)
    this.#scanner.feed(buffer, length)
    this.#pump()
  }

  #pump(): void {
    while (this.#mayHandle()) {
      if (this.#isFull()) {
        this.#wait()
        return
      }
      const result = this.#scanner.next()
      if (result === 'more') {
        this.#rest.letGo()
        if (this.#scanner.largeBytes > 0) this.#holdIfTight()
        this.#finishIfDone()
        return
      }
      this.#muting?.begin(this.#scanner.emptyRequests)
      if (result === 'request') {
        this.#frameBytes = this.#scanner.frameEnd - this.#scanner.frameStart
        this.#handler?.handle(this.#scanner)
        if (this.#scanner.memory !== undefined) this.#scanner.letGoMemory()
      } else {
        if (this.#scanner.isTooLarge) this.refuse(REQUEST_TOO_LARGE)
        else this.answer(errorFrame(`ERR ${errorText(this.#scanner.error)}`))
        this.closeAfterReplies()
      }
    }
    if (this.#closing) this.#finishIfDone()
    else if (!this.#closed) this.#wait()
  }

  #mayHandle(): boolean {
    return !this.#held && this.#deferred === undefined && !this.#closing && !this.#closed
  }

  #isFull(): boolean {
    return (
      this.#queue.length >= this.#window.requests ||
      this.#large.bytes > WINDOW_REQUEST_BYTES ||
      this.#outbox.waitingBytes + this.#queue.heldBytes > this.#bounds.markBytes
    )
  }

  /** Keeps what has not been handled, and reads on only where the client's FIN must be noticed. */
  #wait(): void {
    this.#waiting = true
    this.#window.waits(this.#turn.now())
    this.#rest.keep(this.#scanner)
    this.#pauseIfFull()
    // What the wait is for may have happened meanwhile.
    this.#askResume()
  }

  #pauseIfFull(): void {
    const { heldBytes } = this.#scanner
    if (this.#abandonable) {
      if (heldBytes > BLOCKED_BACKLOG_BYTES_MAX) this.cutOff('requests')
      return
    }
    // The client may read only when it is done with sending.
    const mayStay = !this.#mayHandle() || this.outputBytes > this.#bounds.markBytes
    const readsOn = mayStay && heldBytes < BACKLOG_BYTES_MAX
    if (!readsOn) this.#intake.pause()
  }

  /** The watch says whose large request may go on, and when. */
  #holdIfTight(): void {
    if (!this.#intake.isFirst && this.#room.isTight) this.#intake.hold()
  }

  /** Asks for `flush` at the turn's end if there is something to go on with. */
  #askResume(): void {
    if (this.#resumeAsked || this.#closed) return
    const enough = this.#deferred !== undefined ? 0 : this.#window.requests >> 1
    if (this.#held || this.#queue.length > enough) return
    this.#resumeAsked = true
    this.#turn.flushLater(this)
  }

  /** Turn's end: goes on with a client that had to wait. */
  flush(): void {
    this.#resumeAsked = false
    if (this.#closed) return
    const deferred = this.#deferred
    if (deferred !== undefined && !this.#held && this.#queue.length === 0) {
      this.#deferred = undefined
      this.#frameBytes = deferred.frameEnd - deferred.frameStart
      this.#handler?.handle(deferred)
    }
    // Before judging whether too much waits: what the kernel takes now does not. What it does not
    // take will call `drained`.
    this.#outbox.flushNow()
    if (!this.#waiting || !this.#mayHandle() || this.#isFull()) {
      this.#finishIfDone()
      return
    }
    this.#waiting = false
    this.#window.goesOn(this.#turn.now())
    this.#pump()
    if (!this.#waiting) this.#intake.resume()
  }

  /** Handles no further request until `release`. `abandonable`: the client's FIN ends the wait. */
  hold(abandonable = false): void {
    this.#held = true
    this.#abandonable = abandonable
    if (!abandonable) return
    // A socket that is not read does not show that the client has gone, and an element may be popped for
    // it.
    if (this.#ended) this.destroy()
    else this.#intake.resume()
  }

  release(): void {
    this.#held = false
    this.#abandonable = false
    this.#askResume()
  }

  /** Handles the request under way again, and nothing before it, once all earlier ones are answered. */
  defer(request: Request): void {
    this.#deferred = new KeptRequest(request)
  }

  /** A request is to be handled again. */
  get isDeferring(): boolean {
    return this.#deferred !== undefined
  }

  /** Opens the place of the request under way in the order of replies. */
  open(): number {
    const { command } = this.#inHand
    this.#stats.commands.addRequest(command)
    const ticket = this.#queue.open(command, this.#turn.now())
    this.#muting?.opened(ticket)
    this.#large.opened(ticket, this.#frameBytes)
    return ticket
  }

  /** Answers the request under way at once. The frame must never change. */
  answer(frame: Buffer): void {
    const ticket = this.open()
    this.#large.settled(ticket)
    if (isError(frame[0])) this.#countError(ticket, 'refused')
    this.#queue.replyFrame(ticket, this.#muting?.forget(ticket) ? NOTHING : frame)
  }

  /** Answers the request under way at once with a failure. */
  refuse({ kind, frame }: Failure): void {
    const ticket = this.open()
    this.#large.settled(ticket)
    this.#countError(ticket, kind)
    this.#queue.replyFrame(ticket, this.#muting?.forget(ticket) ? NOTHING : frame)
  }

  /**
   * Sends another part of an answer whose beginning has gone out and that nothing may overtake: no
   * request is in flight. The frame must never change.
   */
  answerMore(frame: Buffer): void {
    if (!this.#muting?.drops) this.#queue.push(frame)
  }

  /** ReplySink: (part of) a reply to the request that opened `ticket`. */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#closed) return
    if (this.#isFlooded() && !this.#hasBegun(ticket)) {
      this.cutOff('replies')
      return
    }
    if (isError(bytes[start]) && !this.#hasBegun(ticket)) {
      this.#countError(ticket, 'shard')
    }
    if (this.#muting?.isDropped(ticket)) {
      if (last) this.#settle(ticket, NOTHING)
      else this.#muting.partCame(ticket)
      return
    }
    this.#queue.reply(ticket, bytes, start, end, last)
    if (last) this.#onSettled(ticket)
  }

  /** Over the limit, and not just by the one reply that goes out in parts: no other may begin. */
  #isFlooded(): boolean {
    return (
      this.#outbox.waitingBytes + this.#queue.heldBytes > this.#bounds.bytesMax &&
      !this.#queue.headStarted
    )
  }

  /** Part of the reply has come before. */
  #hasBegun(ticket: number): boolean {
    return this.#muting?.hasBegun(ticket) ?? this.#queue.hasBegun(ticket)
  }

  /** Settles `ticket` with a whole reply made here, which never changes. */
  settle(ticket: number, frame: Buffer): void {
    if (this.#closed) return
    if (isError(frame[0])) this.#countError(ticket, 'refused')
    this.#settle(ticket, frame)
  }

  #settle(ticket: number, frame: Buffer): void {
    this.#queue.replyFrame(ticket, this.#muting?.forget(ticket) ? NOTHING : frame)
    this.#onSettled(ticket)
  }

  /** ReplySink: the request that opened `ticket` failed. */
  failed(ticket: number, failure: Failure): void {
    if (this.#closed) return
    this.#countError(ticket, failure.kind)
    const frame = this.#muting?.forget(ticket) ? NOTHING : failure.frame
    // Half a reply has gone out and cannot be taken back: only a closed connection tells the truth.
    if (this.#queue.fail(ticket, frame)) this.#onSettled(ticket)
    else this.destroy()
  }

  #countError(ticket: number, kind: ErrorKind): void {
    this.#stats.addError(this.#queue.commandOf(ticket), kind)
  }

  #onSettled(ticket: number): void {
    this.#large.settled(ticket)
    this.#window.answered(this.#queue.largestReplyBytes)
    if (this.#waiting) this.#askResume()
    else if (this.#queue.length === 0) this.#finishIfDone()
  }

  /**
   * Sends a frame that answers no request and never changes, between replies (pub/sub). Closes the
   * session when more than `bytesMax` wait for the client already.
   */
  push(frame: Buffer, bytesMax: number): void {
    if (this.#closed || this.#farewell !== undefined) return
    if (this.outputBytes > bytesMax) this.cutOff('messages')
    else this.#queue.push(frame)
  }

  /** OutboxOwner */
  drained(): void {
    if (this.hasMoreRoom) this.#bounds.reset()
    if (this.#waiting) this.#askResume()
    this.#finishIfDone()
  }

  /** OutboxOwner: replies are still owed. */
  expectsMore(): boolean {
    return this.#queue.length > 0
  }

  /** Beneficiary: parts of replies wait elsewhere until they are whole. */
  collect(bytes: number): boolean {
    // What is small neither helps nor hurts.
    if (this.#closed || (bytes >= LENT_REST_BYTES_MIN && this.#room.isTight)) return false
    this.#collectedBytes += bytes
    return true
  }

  /** Beneficiary */
  collected(bytes: number): void {
    this.#collectedBytes -= bytes
  }

  /** Handles no more requests and closes once all replies owed are out, as QUIT does. */
  closeAfterReplies(): void {
    this.#closing = true
  }

  /**
   * As `closeAfterReplies`, from outside a request: a client that is owed nothing is closed now.
   */
  drain(): void {
    this.#closing = true
    // A client that is blocked may wait for ever; it is closed as a Redis that stops would do.
    if (this.#abandonable) this.destroy()
    else this.#finishIfDone()
  }

  #onEnd(): void {
    this.#ended = true
    if (this.#abandonable) this.destroy()
    else this.#finishIfDone()
  }

  /** The connection ends when the last reply is out. */
  #finishIfDone(): void {
    const noMoreRequests = this.#closing || (this.#ended && !this.#waiting)
    if (!noMoreRequests || this.#queue.length > 0 || this.#closed) return
    if (this.#farewell !== undefined || this.#socket === undefined) return
    this.#outbox.flushNow()
    if (this.#outbox.waitingBytes > 0) return
    this.#farewell = new Farewell(this.#socket)
    this.#intake.end()
  }

  /** As `destroy`, for a fault of the client, which is counted. */
  cutOff(reason: CutOffReason): void {
    this.#stats.cutOffs[reason]++
    this.destroy()
  }

  /** Closes at once; replies to requests in flight are dropped. */
  destroy(): void {
    this.#socket?.destroy()
    this.#onClose()
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#farewell?.stop()
    this.#intake.end()
    this.#deferred = undefined
    // The request under way may still be read from what is let go.
    queueMicrotask(() => this.#letGoRequests())
    this.#queue.clear()
    this.#outbox.reset()
    this.#onClosed()
    this.#handler?.closed()
  }

  /** The client is gone. */
  #letGoRequests(): void {
    this.#scanner.close()
    this.#rest.letGo()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Where the client connects from, `host:port`; empty for a unix socket. */
  get remoteAddress(): string {
    return addressText(this.#socket?.remoteAddress, this.#socket?.remotePort)
  }

  /** Where it connected to. */
  get localAddress(): string {
    return addressText(this.#socket?.localAddress, this.#socket?.localPort)
  }

  /** Requests whose replies have not gone out. */
  get inFlight(): number {
    return this.#queue.length
  }

  /** Milliseconds since the client last sent something. */
  get idleMs(): number {
    return this.#turn.now() - this.#lastReadMs
  }

  /** While a password is due, requests are held to Redis's limits for strangers. */
  set authenticated(value: boolean) {
    this.#scanner.authenticated = value
  }

  get authenticated(): boolean {
    return this.#scanner.authenticated
  }

  /** Which replies the client wants, from the request under way on. */
  get muting(): Muting {
    this.#muting ??= new Muting(this.#scanner.emptyRequests)
    return this.#muting
  }

  /** Sends the reply of `ticket` although replies are off. */
  keepReply(ticket: number): void {
    this.#muting?.forget(ticket)
  }

  /** Is told of each reply. A new watch must pass the call on to the previous one. */
  get replyWatch(): SettleWatch {
    return this.#queue.watch
  }

  set replyWatch(watch: SettleWatch) {
    this.#queue.watch = watch
  }

  /** Whether `ticket` is of the newest request that is in flight. */
  isNewest(ticket: number): boolean {
    return this.#queue.isNewest(ticket)
  }

  /** The ticket that `open` gives next. */
  get nextTicket(): number {
    return this.#queue.nextTag
  }

  /** Whether the reply of `ticket`, which may be the next one, has still to go out. */
  owes(ticket: number): boolean {
    return this.#queue.owes(ticket)
  }

  /**
   * The client chooses how long the request of `ticket` takes, so that time does not count as
   * latency.
   */
  untime(ticket: number): void {
    this.#queue.reopen(ticket, UNTIMED)
  }

  /** Bytes of replies that wait for the client to read them, or for their turn. */
  get outputBytes(): number {
    return this.#outbox.waitingBytes + this.#queue.heldBytes
  }

  /** Bytes of requests that are incomplete or wait. */
  get inputBytes(): number {
    return this.#scanner.heldBytes
  }

  /** WatchedClient: a buffer that holds one byte is as large as one that is full. */
  get memoryBytes(): number {
    const waiting = this.#outbox.waitingBytes
    const held = this.#queue.heldBytes
    return (
      waiting +
      held +
      this.#scanner.heldBytes +
      this.keptBytes +
      this.#collectedBytes +
      (waiting > 0 ? CHUNK_BYTES : 0) +
      this.#rest.lentBytes +
      (held > 0 ? ARENA_BYTES : 0)
    )
  }

  /** WatchedClient: while we do not read, it is not the client that keeps its request incomplete. */
  get partialRequest(): number {
    return this.#waiting || this.#intake.isHeld ? 0 : this.#scanner.cutFrame
  }

  /** WatchedClient */
  get onTheWayBytes(): number {
    return this.#large.bytes
  }

  /** WatchedClient */
  get uploadBytes(): number {
    return this.#waiting ? 0 : this.#scanner.largeBytes
  }

  /** WatchedClient */
  get uploadMissingBytes(): number {
    return this.#scanner.expectedBytes
  }

  /** WatchedClient */
  holdUpload(): void {
    this.#intake.hold()
  }

  /** WatchedClient */
  resumeUpload(first: boolean): void {
    this.#intake.release(first)
  }

  /** WatchedClient */
  get unsentBytes(): number {
    return this.#outbox.waitingBytes
  }

  /** WatchedClient */
  get sentBytes(): number {
    const inSocket = this.#socket === undefined ? 0 : unsentBytes(this.#socket)
    return this.#outbox.handedBytes - inSocket
  }

  /** WatchedClient */
  get restrained(): boolean {
    return this.#bounds.isRestrained
  }

  set restrained(value: boolean) {
    if (value) this.#bounds.restrain()
    else this.#bounds.reset()
    if (!value && this.#waiting) this.#askResume()
  }

  /**
   * WatchedClient: replies that it does not read keep its requests from being handled, and it has sent so
   * much more that we do not read it either.
   */
  get inImpasse(): boolean {
    return this.#intake.isPaused && this.#mayHandle() && this.outputBytes > this.#bounds.markBytes
  }

  /** WatchedClient */
  get hasMoreRoom(): boolean {
    return this.#bounds.isRaised
  }

  /** WatchedClient */
  giveRoom(bytes: number): void {
    this.#bounds.raise(this.outputBytes, bytes)
    this.#askResume()
  }
}
