/**
 * What one client is owed and sent: its replies in their order without those that it does not want,
 * and how much of that it has not taken yet. Errors among them are counted here.
 */
import type net from 'node:net'
import { ARENA_BYTES, CHUNK_BYTES } from '../io/chunk.ts'
import { Outbox, type OutboxOwner } from '../io/outbox.ts'
import type { Turn } from '../io/turn.ts'
import { CLIENT_OUTPUT_BYTES_MAX } from '../limits.ts'
import { isError } from '../stats/error-kinds.ts'
import { UNTIMED } from '../stats/latencies.ts'
import type { Stats } from '../stats/stats.ts'
import { DroppedReplies } from './dropped-replies.ts'
import { ReplyQueue } from './reply-queue.ts'

/** The reply of a request that gets none. */
const NOTHING = Buffer.alloc(0)

export class Replies {
  readonly dropped = new DroppedReplies()
  readonly #stats: Stats
  readonly #turn: Turn
  readonly #outbox: Outbox
  readonly #queue: ReplyQueue

  constructor(turn: Turn, owner: OutboxOwner, stats: Stats) {
    this.#turn = turn
    this.#stats = stats
    this.#outbox = new Outbox(turn, owner, stats.toClients)
    this.#queue = new ReplyQueue(this.#outbox, stats.latencies)
  }

  /** Starts to send. */
  start(socket: net.Socket): void {
    this.#outbox.open(socket)
  }

  /** Requests whose replies have not gone out. */
  get owed(): number {
    return this.#queue.length
  }

  /** Whether `tag` is of the newest request that is in flight. */
  isNewest(tag: number): boolean {
    return this.#queue.isNewest(tag)
  }

  /** Bytes that wait for the client to read them. */
  get unsentBytes(): number {
    return this.#outbox.waitingBytes
  }

  /** Bytes that wait for the client to read them, or for their turn. */
  get waitingBytes(): number {
    return this.#outbox.waitingBytes + this.#queue.heldBytes
  }

  /** Bytes that the socket has been given. */
  get handedBytes(): number {
    return this.#outbox.handedBytes
  }

  /** Bytes of a large recent reply; fades. */
  get largestReplyBytes(): number {
    return this.#queue.largestReplyBytes
  }

  /** A buffer that holds one byte is as large as one that is full. */
  get memoryBytes(): number {
    const waiting = this.#outbox.waitingBytes
    const held = this.#queue.heldBytes
    return waiting + held + (waiting > 0 ? CHUNK_BYTES : 0) + (held > 0 ? ARENA_BYTES : 0)
  }

  /** Opens the place of a request's reply and returns its tag. */
  open(command: number): number {
    const tag = this.#queue.open(command, this.#turn.now())
    this.dropped.opened(tag)
    return tag
  }

  /** How long the request of `tag` takes is the client's own choice, and no latency. */
  untime(tag: number): void {
    this.#queue.reopen(tag, UNTIMED)
  }

  /** Takes (part of) a shard's reply. Returns false when too much waits already: it is not taken. */
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#isFlooded() && !this.#hasBegun(tag)) return false
    if (isError(bytes[start]) && !this.#hasBegun(tag)) {
      this.#countError(tag, bytes, start, end, 'shard')
    }
    if (!this.dropped.has(tag)) this.#queue.reply(tag, bytes, start, end, last)
    else if (last) this.#put(tag, NOTHING)
    else this.dropped.begin(tag)
    return true
  }

  /** Takes a whole reply made here, which nobody will change. */
  settle(tag: number, frame: Buffer): void {
    if (isError(frame[0])) this.#countError(tag, frame, 0, frame.length, 'refused')
    this.#put(tag, frame)
  }

  /** The same instead of a shard's reply. Returns false when half of that has gone out. */
  fail(tag: number, frame: Buffer): boolean {
    this.#countError(tag, frame, 0, frame.length, 'refused')
    return this.#queue.fail(tag, this.dropped.delete(tag) ? NOTHING : frame)
  }

  /** Takes a frame that answers no request, and that nobody will change; it goes between replies. */
  push(frame: Buffer): void {
    this.#queue.push(frame)
  }

  /** Hands the socket what it takes now. */
  flush(): void {
    this.#outbox.flushNow()
  }

  /** Owes nothing any more. */
  clear(): void {
    this.#queue.clear()
    this.#outbox.reset()
  }

  #put(tag: number, frame: Buffer): void {
    this.#queue.replyFrame(tag, this.dropped.delete(tag) ? NOTHING : frame)
  }

  /** Over the limit, and not just by the one reply that goes out in parts: no other may begin. */
  #isFlooded(): boolean {
    return this.waitingBytes > CLIENT_OUTPUT_BYTES_MAX && !this.#queue.headStarted
  }

  /** Part of the reply has come before. */
  #hasBegun(tag: number): boolean {
    return this.dropped.hasBegun(tag) ?? this.#queue.hasBegun(tag)
  }

  #countError(
    tag: number,
    bytes: Buffer,
    start: number,
    end: number,
    otherwise: 'refused' | 'shard',
  ): void {
    this.#stats.addError(this.#queue.commandOf(tag), { bytes, start, end }, otherwise)
  }
}
