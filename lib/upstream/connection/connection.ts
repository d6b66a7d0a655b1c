/**
 * One shared, pipelined connection to a shard: keeps itself connected, writes the requests of all
 * sessions in one stream and pairs the replies with them through its FIFO.
 *
 * Hot, and therefore here together: what each request passes (`send`, `enter`, `#push`) and what each reply
 * passes (`#onBytes`, `#onReply`, `#goesOn`), with the fields that these ask for: `#state`, `#next`, `#muted`
 * and `#lastReadMs`. Whatever changes one of these fields decides about requests that wait, and is here
 * too: becoming ready, being lost, renewed, retired and silent. What no request passes has owners of its own:
 * `making/` the socket, the greeting and the attempts, `deadlines.ts` the timers of requests, `keeping.ts` what is
 * kept for places that move, `losses.ts` what requests in vain are told.
 */
import type { Failure } from '../../failures.ts'
import { type ByteCount, Outbox } from '../../io/outbox.ts'
import { regions } from '../../io/region.ts'
import type { TurnWatcher } from '../../io/turn.ts'
import {
  CUT_SHORT_MS_MAX,
  FIFO_LENGTH_MAX,
  UNSENT_BYTES_MAX,
  UNSENT_BYTES_SHORT_MAX,
} from '../../limits.ts'
import { ROW_REPLY_BYTES_MAX } from '../../resp/reply-row.ts'
import type { ReplySink } from '../reply-sink.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { type DeadlineOwner, Deadlines } from './deadlines.ts'
import { Fifo } from './fifo.ts'
import { HeadWatch } from './head-watch.ts'
import { Losses } from './losses.ts'
import { Attempts } from './making/attempts.ts'
import { FENCE, isRedirect } from './making/handshake.ts'
import { Link } from './making/link.ts'
import { BEHIND_LOGIN, LOGIN, LoginReply } from './making/login-reply.ts'
import { type OnSettled, Settlement } from './making/settlement.ts'
import { Keeping, type PlaceKeeper } from './placed/keeping.ts'
import type { PlacedClient } from './placed/placed-request.ts'
import type { Run } from './placed/run.ts'
import { takeRow } from './placed/take-row.ts'
import { ReplyCounts } from './reply-counts.ts'
import { ReplyCutter, type ReplyHandler } from './reply-cutter.ts'

/**
 * - `connecting`: requests wait for it. `ready`: they go out.
 * - `waiting`: the last attempt failed and the next is not due; requests fail at once.
 * - `closed`: for ever.
 */
export type ConnectionState = 'connecting' | 'ready' | 'waiting' | 'closed'

/** The one reason to leave a connection that is no fault of the shard's. */
const ADDRESS_CHANGED = 'address changed'

/** Why it is not open, when nothing was wrong and we have closed it for ever. */
export const CLOSED_HERE = 'closed'

/** The sink of a request whose reply is dropped. */
export const UNHEARD: ReplySink = { reply: () => {}, failed: () => {} }

export class ShardConnection implements TurnWatcher, DeadlineOwner {
  readonly #options: ConnectionOptions
  readonly #onUnasked: ConnectionOptions['onUnasked']
  #requestTimeoutMs: number
  readonly #fifo = new Fifo()
  /** Of the request that is entered last. */
  readonly #entry = { enteredMs: 0, deadlineMs: 0, position: 0 }
  readonly #outbox: Outbox
  readonly #cutter: ReplyCutter
  readonly #deadlines: Deadlines
  readonly #counts: ReplyCounts
  readonly #attempts = new Attempts()
  readonly #watch: HeadWatch | undefined
  readonly #losses: Losses
  readonly #link: Link
  readonly #loginReply: LoginReply
  readonly #settlement = new Settlement()
  #state: ConnectionState = 'waiting'
  #wasReady = false
  #lastReadMs = 0
  /** What comes as soon as it owes no reply: another connection in its place, or the end. */
  #next: 'renewed' | 'closed' | undefined
  /** It is to be renewed as soon as no request is half handed over. */
  #renewalDue = false
  /** It owes a reply for too long and says nothing: requests wait until it does. */
  #muted = false
  /** The server is not the shard's any more: what it says is not believed. */
  #hasLeft = false
  /**
   * Another is being made in its place at once, because the shard has moved or has closed this one while
   * it was idle. Unless that fails, nobody notices.
   */
  #replacing = false
  /** The failure for waiting requests when the connection ends, if not `lost`. */
  #parting: Failure | undefined
  /** It is asked whether it still works, and another takes over if not. */
  #probing = false
  #lingerTimer: NodeJS.Timeout | undefined
  /** Lost, and the next attempt is about to begin: requests already wait for it. */
  #held = false
  /** The turn will call back when its bytes have been sent. */
  #stampAsked = false
  /** Of this read: a whole reply of fewer bytes, with another before it, is no news for the watch. */
  #newsBytes = 0
  #onPush: ReplyHandler | undefined
  /** Undefined: no place moves. */
  #keeping: Keeping | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#onUnasked = options.onUnasked
    this.#requestTimeoutMs = options.requestTimeoutMs
    this.#outbox = new Outbox(
      options.turn,
      { drained: () => this.#renewIfDue(), expectsMore: () => false },
      options.stats.sent,
    )
    this.#link = new Link(options, {
      onBytes: (buffer, length) => this.#onBytes(buffer, length),
      onLate: () => this.#lose(),
      onClosed: () => this.#onClosed(),
    })
    this.#loginReply = new LoginReply(options.onLogin, () => this.#abandon('no answer to AUTH'))
    this.#losses = new Losses(this.#fifo, this.#outbox, options)
    this.#deadlines = new Deadlines(this.#fifo, options.turn, this)
    this.#counts = new ReplyCounts(options.stats, options.inHand, isForClients(options))
    const { lookout, shard = '' } = options
    this.#watch = lookout && new HeadWatch(lookout, shard, this.#fifo)
    const onReply: ReplyHandler = (bytes, start, end, last) => {
      return this.#onReply(bytes, start, end, last)
    }
    const onPush: ReplyHandler = (bytes, start, end, last) => {
      return this.#onPush?.(bytes, start, end, last) ?? true
    }
    this.#cutter = options.takesPushes
      ? new ReplyCutter(onReply, onReply, true)
      : new ReplyCutter(onReply, onPush)
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Requests sent or about to be, tombstones included. */
  get inFlight(): number {
    return this.#fifo.length
  }

  /** Who gets the next reply; undefined: nobody any more. */
  get nextSink(): ReplySink | undefined {
    return this.#fifo.headSink
  }

  /** There is a socket, perhaps not connected yet. */
  get isOpen(): boolean {
    return this.#link.socket !== undefined
  }

  /** How long a request may take if it has no deadline of its own, milliseconds. */
  get requestTimeoutMs(): number {
    return this.#requestTimeoutMs
  }

  /** Bytes of requests that the system has not taken yet. */
  get unsentBytes(): number {
    return this.#outbox.waitingBytes
  }

  /** Increases with each attempt to connect: what was true of the shard before may not be any more. */
  get incarnation(): number {
    return this.#link.incarnation
  }

  /** The number by which the shard knows this connection, if the handshake asked and it told. */
  get shardClientId(): string | undefined {
    return this.#link.shardClientId
  }

  /**
   * Calls back once when it is known whether the shard takes this connection: with the reason, as
   * the shard words it, when it turned us away; with nothing when it took us or cannot be reached.
   */
  onceSettled(callback: OnSettled): void {
    if (this.#state === 'connecting' && !this.#isHomeless) this.#settlement.add(callback)
    else callback(this.#link.rejection)
  }

  connect(): void {
    if (this.#state === 'waiting' && !this.isOpen) this.#open()
  }

  /** Makes the next attempt now if it waits for one: there is reason to expect that it succeeds. */
  retry(): void {
    if (this.#state !== 'waiting') return
    this.#attempts.stopWaiting()
    this.connect()
  }

  #open(): void {
    this.#state = 'connecting'
    this.#probing = false
    this.#held = false
    // One that was left before it was ready has lost nothing, and comes by here all the same.
    this.#next = undefined
    this.#cutter.reset()
    if (this.#link.open()) return
    // The server's address is unknown. Requests wait for it, within their deadlines.
    this.#held = true
    this.#settlement.settle(undefined)
  }

  /**
   * From now on requests may take so long; those in flight no longer either, unless `blocks` says that
   * one may have been allowed more.
   */
  allow(requestTimeoutMs: number, blocks: boolean): void {
    this.#requestTimeoutMs = requestTimeoutMs
    if (blocks) return
    const latestMs = this.#options.turn.now() + requestTimeoutMs
    this.#fifo.hasten(latestMs)
    this.#deadlines.entered({ deadlineMs: latestMs })
  }

  /** Neither connected nor connecting, because the server's address is unknown. */
  get #isHomeless(): boolean {
    return !this.isOpen && this.#options.server.address === undefined
  }

  /**
   * The shard has another server now. Nothing that the old one says is believed any more: requests that
   * were sent to it are lost and fail with `parting`. Requests that were not sent go to the new one.
   */
  relocate(parting?: Failure): void {
    if (this.#state === 'closed') return
    this.#attempts.stopWaiting()
    this.#parting = parting
    if (this.isOpen) this.#replace()
    else this.#open()
  }

  /** Hands nothing more to the server until `release`, as it is about to be replaced. */
  hold(): void {
    if (this.#state === 'ready') this.#outbox.pause()
  }

  release(): void {
    const isFlowing = this.#state === 'ready' && this.#next === undefined && !this.#muted
    if (isFlowing) this.#flow()
  }

  /** Reads nothing until `listen`: what the server says meanwhile waits in the system. */
  stopListening(): void {
    this.#link.socket?.pause()
  }

  listen(): void {
    this.#link.socket?.resume()
  }

  /** (Part of) each push, which answers nothing, goes to `onPush` from now on. */
  watchPushes(onPush: ReplyHandler): void {
    this.#onPush = onPush
  }

  /** When the shard last said something; the turn's clock. */
  get lastReadMs(): number {
    return this.#lastReadMs
  }

  /** The address of the shard as the system has resolved it; undefined while not connected. */
  get remoteAddress(): string | undefined {
    return this.#link.socket?.remoteAddress
  }

  /**
   * Asks the shard whether this connection, which is free, still works. Requests wait for the answer; if
   * there is none they wait for another connection.
   */
  probe(): void {
    if (!this.isFree) return
    this.#state = 'connecting'
    this.#probing = true
    this.#held = true
    this.#outbox.reset()
    this.#link.probe()
  }

  /** It takes requests, or is being replaced without a fault of the shard's. */
  get isUp(): boolean {
    return this.#state === 'ready' || this.#replacing
  }

  /** What the shard answered to the PING of the handshake if it took us and refuses everything for a while. */
  get notServing(): string | undefined {
    return this.#link.notServing
  }

  /** When it was last begun to be made; the turn's clock. */
  get openedMs(): number {
    return this.#link.openedMs
  }

  /** It leads to a server: other than one that is still to be connected. */
  get isMade(): boolean {
    return this.#state === 'ready' || this.#probing
  }

  /** It works, owes nothing, and stays. */
  get isFree(): boolean {
    return this.#state === 'ready' && this.#fifo.length === 0 && this.#next === undefined
  }

  /**
   * Connects anew, to where the shard is by now, without losing a request: those that were sent are
   * answered here first, and those that come meanwhile wait for the new connection.
   */
  renew(): void {
    if (this.#state !== 'ready' || this.#next !== undefined) return
    // What has been late for long is not worth waiting for.
    if (this.#fifo.tombstones > 0 && this.#isSilent(this.#options.turn.now())) {
      this.#replace()
      return
    }
    // A request that is half handed over must get its other half here.
    this.#renewalDue = this.#outbox.waitingBytes > 0
    if (this.#renewalDue) return
    this.#next = 'renewed'
    this.#outbox.pause()
    this.#goOnIfDone()
  }

  #renewIfDue(): void {
    if (this.#renewalDue) this.renew()
  }

  /** Closes for ever as soon as it owes no reply, and takes no more requests. */
  retire(): void {
    // What waits for this one was not sent: another takes over.
    if (this.#probing) {
      this.#link.socket?.destroy()
      return
    }
    this.#next = 'closed'
    if (this.#state !== 'ready' || this.#fifo.length === 0) this.close()
  }

  /**
   * As `retire`, for a request that may wait for ever: our FIN makes the shard forget it, and a reply
   * that is already under way still comes. Otherwise the request fails with `error`; and as lost where the
   * shard does not close in time, or has answered and is not believed: what it has executed is not known.
   */
  hangUp(error: Failure, isBelieved = true): void {
    if (!this.#probing) this.#parting = error
    this.retire()
    if (this.#state !== 'ready') return
    if (!isBelieved) {
      this.#hasLeft = true
      // Whatever comes is looked at first, as after a silence: usual reads need not ask whether they are believed.
      this.#muted = true
    }
    // Without all of the request the shard would not answer it in any case.
    if (this.#outbox.waitingBytes > 0) {
      this.close()
      return
    }
    this.end()
    this.#lingerTimer = setTimeout(() => this.#closeLost(), CUT_SHORT_MS_MAX)
  }

  #closeLost(): void {
    this.#parting = undefined
    this.close()
  }

  #goOnIfDone(): void {
    if (this.#next === 'closed') {
      if (this.#fifo.length === 0) this.close()
      return
    }
    if (!this.#isIdle) return
    this.#replace()
  }

  #replace(): void {
    this.#next = 'renewed'
    this.#replacing = true
    this.#abandon(ADDRESS_CHANGED)
  }

  /**
   * Says that nothing more will come: the shard closes, and owes what it has answered before that and
   * nothing else. A connection that is not ready closes at once.
   */
  end(): void {
    if (this.#state === 'ready') this.#link.socket?.end()
    else this.close()
  }

  /** Closes for ever. Requests still in flight fail. */
  close(): void {
    this.#state = 'closed'
    this.#attempts.stopWaiting()
    this.#link.abandon(CLOSED_HERE)
    this.#fail()
  }

  /**
   * Sends `bytes[start, end)`, one request; its reply or failure goes to `sink`, at once when the
   * shard is known to be unavailable. `owned`: the bytes never change again, large ones need no copy.
   */
  send(
    sink: ReplySink,
    ticket: number,
    bytes: Buffer,
    start: number,
    end: number,
    owned: boolean,
    timeoutMs = this.#requestTimeoutMs,
  ): void {
    if (this.#isShut || this.#isFull) {
      this.#refuse(sink, ticket)
      return
    }
    const outbox = this.#push(sink, ticket, timeoutMs)
    if (owned) outbox.give(bytes.subarray(start, end))
    else outbox.append(bytes, start, end)
  }

  /**
   * Sends `prefix`, a request whose reply is dropped, and right behind it another: both stand at one
   * position in the stream, so that they are sent together, on whichever connection, or not at all.
   */
  sendBehind(prefix: Buffer, sink: ReplySink, ticket: number, bytes: Buffer): void {
    if (this.#fifo.length + 1 >= FIFO_LENGTH_MAX) {
      this.#options.stats.errors.overloaded++
      sink.failed(ticket, this.#options.errors.overloaded)
      return
    }
    this.enter(UNHEARD, 0)
    const outbox = this.enter(sink, ticket)
    outbox?.give(Buffer.concat([prefix, bytes]))
  }

  /**
   * Enters a request into the FIFO; the caller then appends exactly its bytes to the outbox, in the
   * same call. Undefined: refused, and the sink has been told.
   */
  enter(sink: ReplySink, ticket: number): Outbox | undefined {
    if (this.#isShut || this.#isFull) return this.#refuse(sink, ticket)
    return this.#push(sink, ticket)
  }

  #refuse(sink: ReplySink, ticket: number): undefined {
    const { errors, stats } = this.#options
    const why = this.#isShut ? 'unavailable' : 'overloaded'
    stats.errors[why]++
    sink.failed(ticket, errors[why])
  }

  /**
   * As `enter`, for a request of `client` for a place that moves. There is a keeper. Undefined: refused, and
   * nobody has been told.
   */
  enterPlaced(
    client: PlacedClient,
    place: number,
    sink: ReplySink,
    ticket: number,
  ): Outbox | undefined {
    if (this.#isShut || this.#isFull) return undefined
    const outbox = this.#push(sink, ticket)
    this.#fifo.place(client, place)
    return outbox
  }

  /** As `enterPlaced`, for requests that are entered as one: the caller appends the bytes of all of them. */
  enterRun(client: PlacedClient, run: Run): Outbox | undefined {
    if (this.#isShut || this.#isFull) return undefined
    // Connections that have no runs need not be asked.
    this.#cutter.onRow ??= (bytes, at, limit) => this.#onRow(bytes, at, limit)
    const outbox = this.#push(run, 0)
    this.#fifo.placeRun(client, run)
    this.#options.stats.requests += run.left - 1
    return outbox
  }

  get #isShut(): boolean {
    return this.#state === 'waiting' || this.#state === 'closed' || this.#next === 'closed'
  }

  get #isFull(): boolean {
    // One large value may be under way besides: it must not block the other requests.
    const unsentBytesMax = regions.areShort ? UNSENT_BYTES_SHORT_MAX : UNSENT_BYTES_MAX
    return (
      this.#outbox.waitingBytesButLargest > unsentBytesMax || this.#fifo.length >= FIFO_LENGTH_MAX
    )
  }

  /** There is a keeper: requests for places that move may be entered. */
  get isKept(): boolean {
    return this.#keeping !== undefined
  }

  /** From now on bytes are kept until the replies have come, and are counted in `count`. */
  keepFor(keeper: PlaceKeeper, count: ByteCount): void {
    this.#keeping = new Keeping(keeper, this.#fifo, this.#outbox, count)
  }

  /** Whole replies to parts of a run may come next, which are no news for the watch. */
  #onRow(bytes: Buffer, at: number, limit: number): number {
    const run = this.#fifo.headRun
    if (run === undefined || this.#state !== 'ready' || this.#next !== undefined) return at
    const isNews = this.#newsBytes <= ROW_REPLY_BYTES_MAX || !this.#counts.followsAnother(true)
    return isNews ? at : takeRow(run, this.#fifo, this.#counts, bytes, at, limit)
  }

  /** All requests for places that move are the keeper's from now on. */
  handOver(): void {
    this.#keeping?.handOver()
  }

  #push(sink: ReplySink, ticket: number, timeoutMs = this.#requestTimeoutMs): Outbox {
    const { turn, stats } = this.#options
    const outbox = this.#outbox
    const entry = this.#entry
    entry.enteredMs = turn.now()
    entry.deadlineMs = entry.enteredMs + timeoutMs
    entry.position = outbox.position
    this.#fifo.push(sink, ticket, entry)
    stats.requests++
    if (!this.#stampAsked) {
      this.#stampAsked = true
      turn.watchEnd(this)
    }
    this.#watch?.entered()
    this.#deadlines.entered(entry)
    return outbox
  }

  /** TurnWatcher: from here on the wait is for the shard, even where the system did not take all. */
  turnEnded(_startedMs: number, endedMs: number): void {
    this.#stampAsked = false
    this.#fifo.stamp(endedMs)
    if (this.#renewalDue) this.renew()
  }

  /**
   * There are other credentials, and the attempt has them: logs in again, behind the requests that were
   * sent and before those that follow. None of them notices.
   */
  authenticate(): void {
    if (this.#state === 'closed' || this.#next === 'closed') return
    if (this.#state === 'ready') {
      this.#login()
    } else if (!this.isOpen) {
      // It may be waiting because of the old ones.
      this.retry()
    } else if (this.#state === 'connecting') {
      this.#link.authenticate()
    }
  }

  #login(): void {
    const { login } = this.#options.attempt()
    if (login === undefined) return
    this.#loginReply.enters(login)
    // It is entered even when there are too many requests.
    this.#push(this.#loginReply, LOGIN).append(login, 0, login.length)
    const outbox = this.#push(this.#loginReply, BEHIND_LOGIN)
    outbox.append(FENCE, 0, FENCE.length)
  }

  /** One that was kept for this connection would undo what the handshake has just done with newer credentials. */
  #loginAfterOlder(): void {
    const { login } = this.#options.attempt()
    if (login !== undefined && this.#loginReply.awaitsOlderThan(login)) this.#login()
  }

  #onBytes(buffer: Buffer, length: number): void {
    // A reply to come later than this moment is late; one read now is not.
    this.#lastReadMs = this.#options.turn.now()
    this.#counts.beginRead(length, this.#lastReadMs)
    if (this.#muted && !this.#unmute()) return
    this.#newsBytes = this.#watch?.newsBytes ?? Number.POSITIVE_INFINITY
    if (!this.#cutter.take(buffer, length)) this.#abandon('malformed reply')
    this.#keeping?.release(this.#fifo.oldestPosition)
    this.#counts.endRead()
  }

  /** Whether what has come is believed. */
  #unmute(): boolean {
    this.#muted = false
    if (this.#hasLeft) this.#closeLost()
    else if (!this.#isOnHold && this.#next === undefined) this.#flow()
    return !this.#hasLeft
  }

  /** What is in the outbox goes out. */
  #flow(): void {
    const { socket } = this.#link
    if (socket !== undefined) this.#outbox.open(socket)
  }

  get #isOnHold(): boolean {
    return this.#options.server.onHold === true
  }

  /** Returns false to stop: the rest of the bytes must not be looked at. */
  #onReply(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#state !== 'ready') {
      return this.#state === 'connecting' && this.#onGreeted(bytes.subarray(start, end), last)
    }
    if (!this.#counts.followsAnother(last) || end - start >= this.#newsBytes) {
      this.#watch?.replied(end - start, last, this.#lastReadMs)
    }
    const taken = this.#onUnasked?.(bytes, start, end, last) === true
    if (!taken) {
      const isAnswer = this.#fifo.length > 0
      if (isAnswer && this.#counts.count(bytes, start, last, this.#fifo.headBatch)) {
        this.#options.signs?.replied(bytes, start, end)
        this.#keeping?.erred(bytes, start, end)
        if (this.#mayRedirect && isRedirect(bytes, start, end)) {
          const { frame } = this.#options.errors.declined
          this.#fifo.reply(frame, 0, frame.length, last)
          return this.#goesOn(last)
        }
      }
      if (!this.#fifo.reply(bytes, start, end, last)) {
        this.#abandon('stray reply')
        return false
      }
    }
    return this.#goesOn(last)
  }

  #goesOn(last: boolean): boolean {
    if (this.#next !== undefined && last) this.#goOnIfDone()
    // The receiver of the reply may have closed this connection.
    return this.#state === 'ready'
  }

  get #mayRedirect(): boolean {
    return this.#options.server.mayMove === true
  }

  #onGreeted(reply: Buffer, isWhole: boolean): boolean {
    const step = this.#link.greeted(reply, isWhole)
    if (step === 'made') this.#becomeReady()
    else if (step === 'failed') this.#lose()
    return step !== 'failed'
  }

  #becomeReady(): void {
    this.#state = 'ready'
    this.#replacing = false
    this.#probing = false
    this.#held = false
    const nowMs = this.#options.turn.now()
    this.#attempts.succeeded(nowMs)
    if (this.#options.reconnect && this.#wasReady) this.#options.stats.reconnects++
    this.#wasReady = true
    this.#watch?.ready(nowMs)
    if (!this.#isOnHold) this.#flow()
    this.#loginAfterOlder()
    this.#settlement.settle(undefined)
    this.#options.onStateChange()
  }

  /** Gives the connection up; what is in flight fails, and 'close' will see to the next one. */
  #abandon(reason: string): void {
    this.#link.abandon(reason)
    this.#lose()
  }

  /**
   * The connection is gone. If it worked, the next attempt comes at once, and requests of which
   * nothing was sent wait for its outcome: a shard that merely dropped a connection costs them
   * nothing.
   */
  #lose(): void {
    if (this.#held) return
    if (this.#state === 'ready' && !this.#isIdle) {
      this.#watch?.lost(this.#options.turn.now())
      if (!this.#replacing) this.#options.signs?.silent(this.#fifo.headSentMs)
    }
    const isKept = (this.#state === 'ready' && this.#isWorthAnother()) || this.#waitsForHeir
    if (isKept) this.#keepUnsent()
    else this.#fail()
  }

  /** Where another server may take over, requests are kept for it, unless this one turned us away. */
  get #waitsForHeir(): boolean {
    if (this.#state === 'closed') return false
    const { server, reconnect } = this.#options
    const isWanted = reconnect || (!this.#wasReady && this.#fifo.length > 0)
    return server.mayMove === true && isWanted && !this.#link.isTurnedAway
  }

  /** The connection, which works, is made anew at once if it is lost. */
  #isWorthAnother(): boolean {
    if (!this.#options.reconnect) return false
    return this.#next === 'renewed' || this.#attempts.isFirstFailure(this.#options.turn.now())
  }

  /** It owes no reply to anything that was sent. */
  get #isIdle(): boolean {
    return this.#fifo.oldestPosition >= this.#outbox.handedBytes
  }

  #keepUnsent(): void {
    this.#leave()
    this.#state = 'connecting'
    this.#held = true
    const parting = this.#parting
    this.#parting = undefined
    this.#keeping?.fails(parting ?? this.#options.errors.lost)
    this.#losses.failSent(parting)
    this.#deadlines.watch(this.#options.turn.now())
  }

  #onClosed(): void {
    if (this.#state === 'ready') this.#replacing = this.#isIdle && this.#isWorthAnother()
    if (this.#state !== 'closed' && !this.#replacing) this.#options.onFailure?.()
    this.#lose()
    this.#attempts.failed(this.#options.turn.now())
    if (this.#held) {
      if (this.#options.server.mayMove === true) this.#settlement.settle(undefined)
      this.#options.onStateChange()
      this.#openAgain()
      return
    }
    this.#replacing = false
    this.#settlement.settle(this.#link.rejection)
    if (!this.#options.reconnect) this.#state = 'closed'
    if (this.#state === 'closed') {
      this.#options.onStateChange()
      return
    }
    this.#attempts.wait(this.#link.isTurnedAway, () => this.connect())
    this.#options.onStateChange()
  }

  /** At once after the first failure: a shard that merely dropped a connection is back by then. */
  #openAgain(): void {
    if (this.#replacing || !this.#attempts.areRepeated) this.#open()
    else this.#attempts.wait(false, () => this.#open())
  }

  /** Why the connection is down, for logs and errors; undefined while it is not. */
  get reason(): string | undefined {
    return this.#state === 'ready'
      ? undefined
      : (this.#link.reason ?? 'connection closed by the shard')
  }

  /** Fails everything in flight and leaves no trace of the old connection. */
  #fail(): void {
    this.#leave()
    if (this.#state !== 'closed') this.#state = 'waiting'
    this.#held = false
    this.#keeping?.fails(this.#parting ?? this.#options.errors.lost)
    // Another may get what was not sent.
    this.#keeping?.handOver(this.#outbox.handedBytes)
    this.#losses.failAll(this.#parting)
  }

  #leave(): void {
    clearTimeout(this.#lingerTimer)
    this.#link.leave()
    this.#deadlines.clear()
    this.#next = undefined
    this.#muted = false
    this.#renewalDue = false
    this.#counts.reset()
    this.#cutter.reset()
  }

  /** DeadlineOwner */
  deadlinePassed(nowMs: number): void {
    if (this.#state === 'connecting') {
      if (this.#waitsForHeir) {
        this.#losses.expireUnsent(nowMs)
        return
      }
      // Requests that wait here were not sent, and after this they never will be.
      this.#link.giveUp()
      this.#fail()
      return
    }
    this.#watch?.timedOut(nowMs)
    this.#keeping?.fails(this.#options.errors.timedOut)
    this.#losses.expire(nowMs)
    this.#options.onFailure?.()
    // What is held back was not handed over: that it is not answered says nothing of the server.
    if (this.#isOnHold || !this.#isSilent(nowMs)) return
    if (this.#next === 'renewed') {
      this.#replace()
      return
    }
    // It may be dead: what is not handed to it can still go over another.
    this.#muted = true
    this.#outbox.pause()
    this.#options.signs?.silent(this.silentSinceMs)
  }

  /** It owes a reply, and has said nothing for half the time that a reply may take. */
  #isSilent(nowMs: number): boolean {
    return nowMs - this.silentSinceMs >= this.#requestTimeoutMs / 2
  }

  /** Since when it has owed a reply and said nothing; Infinity while it owes none. */
  get silentSinceMs(): number {
    if (this.#fifo.length === 0) return Number.POSITIVE_INFINITY
    return Math.max(this.#lastReadMs, this.#fifo.headSentMs)
  }

  /**
   * The shard has answered a connection that was begun at `sinceMs`. If this one has owed a reply for too
   * long and has been silent since before then, it is dead, though the shard is not.
   */
  giveUpIfSilent(sinceMs: number): void {
    // While the system has not taken all of it the shard may still be reading a large request.
    if (this.#state !== 'ready' || (this.#link.socket?.writableLength ?? 0) > 0) return
    if (this.#fifo.tombstones > 0 && this.silentSinceMs < sinceMs)
      this.#abandon('connection is dead')
  }

  /** DeadlineOwner */
  stalled(): void {
    this.#abandon('shard does not answer')
  }
}

/** Its requests are clients', and waiting for their replies is what clients feel. */
function isForClients({ reconnect, onUnasked }: ConnectionOptions): boolean {
  return reconnect && onUnasked === undefined
}
