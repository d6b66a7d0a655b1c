/**
 * One client connection: reads its requests, hands them to the dispatcher one by one, and writes
 * the replies in their order. It stops reading from a client that has too much in flight or does
 * not read its replies; nobody else notices.
 */
import type net from 'node:net'
import { errorFrame, errorText } from '../errors.ts'
import { Outbox, type OutboxOwner } from '../io/outbox.ts'
import type { Flushable, Turn } from '../io/turn.ts'
import {
  CLIENT_OUTPUT_BYTES_MARK,
  CLIENT_OUTPUT_BYTES_MAX,
  LINGER_MS,
  WINDOW_BYTES,
  WINDOW_REQUESTS_FIRST,
  WINDOW_REQUESTS_MAX,
} from '../limits.ts'
import type { Request } from '../resp/request.ts'
import { RequestScanner } from '../resp/request-scanner.ts'
import { ReplyQueue } from './reply-queue.ts'

/** Who deals with a session's requests. */
export interface RequestHandler {
  /** Must open exactly one reply (`open` or `answer`) or close the session. Synchronous. */
  handle(session: Session, request: ScannedRequest): void
}

/** A request, and whether its bytes stay as they are after the call. */
export interface ScannedRequest extends Request {
  readonly owned: boolean
}

/** A TLS record of a handshake starts with this byte; no request does. */
const TLS_HANDSHAKE = 0x16

export class Session implements Flushable, OutboxOwner {
  readonly id: number
  readonly #handler: RequestHandler
  readonly #onClosed: () => void
  readonly #turn: Turn
  readonly #scanner = new RequestScanner()
  readonly #outbox: Outbox
  readonly #queue: ReplyQueue
  #socket: net.Socket | undefined
  #window = WINDOW_REQUESTS_FIRST
  /** Not reading, because too much is in flight or waits to be read by the client. */
  #paused = false
  #resumeAsked = false
  /** The client has sent all it will send. */
  #ended = false
  /** Close as soon as the replies owed are out; nothing more is read. */
  #closing = false
  #finished = false
  #closed = false
  #lingerTimer: NodeJS.Timeout | undefined

  constructor(id: number, handler: RequestHandler, turn: Turn, onClosed: () => void) {
    this.id = id
    this.#handler = handler
    this.#onClosed = onClosed
    this.#turn = turn
    this.#outbox = new Outbox(turn, this)
    this.#queue = new ReplyQueue(this.#outbox)
  }

  /** Before: bytes may already come (`onBytes`), but nothing is written. */
  attach(socket: net.Socket): void {
    this.#socket = socket
    socket.on('end', () => this.#onEnd())
    // The reason is of no use to anyone: 'close' follows and says all there is to say.
    socket.on('error', () => {})
    socket.on('close', () => this.#onClose())
    this.#outbox.open(socket)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Requests whose replies have not gone out. */
  get inFlight(): number {
    return this.#queue.length
  }

  /** While a password is due, requests are held to Redis's limits for strangers. */
  set authenticated(value: boolean) {
    this.#scanner.authenticated = value
  }

  get authenticated(): boolean {
    return this.#scanner.authenticated
  }

  /** Opens the place of the request under way in the order of replies. */
  open(): number {
    return this.#queue.open()
  }

  /** Answers the request under way at once. The frame must never change. */
  answer(frame: Buffer): void {
    this.#queue.replyFrame(this.#queue.open(), frame)
  }

  /** ReplySink: a shard's reply to the request that opened `tag`. */
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#closed) return
    if (this.#isFlooded()) {
      this.destroy()
      return
    }
    this.#queue.reply(tag, bytes, start, end, last)
    if (last) this.#onSettled()
  }

  /** ReplySink: the request that opened `tag` failed. */
  failed(tag: number, error: { readonly frame: Buffer }): void {
    if (this.#closed) return
    // Half a reply has gone out and cannot be taken back: only a closed connection tells the truth.
    if (this.#queue.fail(tag, error.frame)) this.#onSettled()
    else this.destroy()
  }

  /** A complete reply made here, which nobody will change. */
  replyFrame(tag: number, frame: Buffer): void {
    if (this.#closed) return
    this.#queue.replyFrame(tag, frame)
    this.#onSettled()
  }

  /** Reads no more requests and closes once all replies owed are out, as QUIT does. */
  closeAfterReplies(): void {
    this.#closing = true
  }

  /** The same, from outside a request: a client that is owed nothing is closed now. */
  drain(): void {
    this.#closing = true
    this.#finishIfDone()
  }

  /** Closes at once; what is in flight is answered to nobody. */
  destroy(): void {
    this.#socket?.destroy()
    this.#onClose()
  }

  /** Takes what the client sent: `buffer[0, length)`, valid during the call only. */
  onBytes(buffer: Buffer, length: number): void {
    if (this.#closing || this.#closed) return
    if (buffer[0] === TLS_HANDSHAKE && !this.#scanner.midFrame) {
      this.destroy()
      return
    }
    // The turn's clock starts here, so that deadlines count from the moment a request came in.
    this.#turn.now()
    this.#scanner.feed(buffer, length)
    this.#pump()
  }

  /** Turn's end: goes on with a client that had to wait. */
  flush(): void {
    this.#resumeAsked = false
    if (!this.#paused || this.#closed || this.#isFull()) return
    this.#paused = false
    this.#pump()
    if (!this.#paused && !this.#closed && !this.#ended) this.#socket?.resume()
  }

  #pump(): void {
    while (!this.#closing && !this.#closed) {
      if (this.#isFull()) {
        this.#pause()
        break
      }
      const result = this.#scanner.next()
      if (result === 'more') break
      if (result === 'error') {
        this.answer(errorFrame(`ERR ${errorText(this.#scanner.error)}`))
        this.closeAfterReplies()
      } else {
        this.#handler.handle(this, this.#scanner)
      }
    }
    this.#finishIfDone()
  }

  #pause(): void {
    this.#scanner.keepRest()
    if (this.#paused) return
    this.#paused = true
    this.#socket?.pause()
  }

  #isFull(): boolean {
    return (
      this.#queue.length >= this.#window ||
      this.#outbox.waitingBytes + this.#queue.heldBytes > CLIENT_OUTPUT_BYTES_MARK
    )
  }

  /** Over the limit, and not just by the one reply that is on its way. */
  #isFlooded(): boolean {
    return (
      this.#outbox.waitingBytes + this.#queue.heldBytes > CLIENT_OUTPUT_BYTES_MAX &&
      !this.#queue.headStarted
    )
  }

  #onSettled(): void {
    this.#window = windowAfterReply(this.#window, this.#queue.largestReplyBytes)
    if (this.#paused) this.#askResume()
    else if (this.#queue.length === 0) this.#finishIfDone()
  }

  #askResume(): void {
    if (this.#resumeAsked || this.#queue.length > this.#window >> 1) return
    this.#resumeAsked = true
    this.#turn.flushLater(this)
  }

  /** OutboxOwner: replies are still owed. */
  expectsMore(): boolean {
    return this.#queue.length > 0
  }

  /** OutboxOwner */
  drained(): void {
    if (this.#paused) this.#askResume()
    this.#finishIfDone()
  }

  #onEnd(): void {
    this.#ended = true
    this.#finishIfDone()
  }

  /** After the last reply: our FIN, and a bound on how long the client may take to send its own. */
  #finishIfDone(): void {
    const noMoreRequests = this.#closing || (this.#ended && !this.#paused)
    if (!noMoreRequests || this.#queue.length > 0 || this.#finished || this.#closed) return
    this.#outbox.flushNow()
    if (this.#outbox.waitingBytes > 0) return
    this.#finished = true
    this.#socket?.end()
    this.#lingerTimer = setTimeout(() => this.#socket?.destroy(), LINGER_MS)
    // What the client still sends is read and dropped: closing with unread bytes would send a
    // reset, and a reset can take the last reply with it.
    this.#socket?.resume()
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#lingerTimer)
    this.#queue.clear()
    this.#outbox.reset()
    this.#onClosed()
  }
}

/**
 * Requests in flight that a client may have after an answer: one more than before, at most
 * WINDOW_REQUESTS_MAX, and no more than recent replies of that size would make WINDOW_BYTES.
 */
export function windowAfterReply(window: number, largestReplyBytes: number): number {
  const byBytes = Math.max(1, Math.floor(WINDOW_BYTES / Math.max(1, largestReplyBytes)))
  return Math.min(window + 1, WINDOW_REQUESTS_MAX, byBytes)
}
