/**
 * The replies that one client is owed, in the order of its requests. Shards answer out of order;
 * the client never sees that: a reply whose turn it is goes straight to the outbox, any other is
 * held until all before it have gone.
 *
 * A state machine without sockets: a power-of-two ring of parallel arrays, so that a request costs
 * no allocation. Tickets are the ring's running numbers, cut to 30 bits to stay small integers.
 */
import { arenas, type Chunk, writeChunks } from '../io/chunk.ts'
import { LARGE_BYTES } from '../io/outbox.ts'
import { type Piece, shelve, unshelve } from '../io/shelf.ts'
import { Arena } from './arena.ts'

/** Where replies go once it is their turn. */
export interface ReplyOutput {
  append(bytes: Uint8Array, start: number, end: number): void
  give(bytes: Buffer): void
  lend(bytes: Buffer, chunk: Chunk): void
}

/** Who is told of each reply that has gone to the output. */
export interface SettleWatch {
  settled(openedMs: number, sentMs: number): void
}

const UNWATCHED: SettleWatch = { settled: () => {} }

/** When the request was sent whose reply is passed on: see stats/in-hand.ts. */
export interface Sent {
  readonly sentMs: number
}

const CAPACITY_MIN = 16
const TICKET_MASK = 0x3fffffff

/** Replies up to this size share a small arena, those up to LARGE_BYTES a large one. */
const SMALL_REPLY_BYTES_MAX = 512

const NOTHING = Buffer.alloc(0)

const WAITING = 0
const SETTLED = 1

export class ReplyQueue {
  readonly #output: ReplyOutput
  readonly #inHand: Sent
  #watch: SettleWatch
  /** Held replies: the bytes `held[i][starts[i], ends[i])`. */
  #held: (Buffer | undefined)[] = new Array(CAPACITY_MIN).fill(undefined)
  #starts = new Int32Array(CAPACITY_MIN)
  #ends = new Int32Array(CAPACITY_MIN)
  #states = new Uint8Array(CAPACITY_MIN)
  #commands = new Int32Array(CAPACITY_MIN)
  #openedMs = new Float64Array(CAPACITY_MIN)
  /** Of replies that have come. */
  #sentMs = new Float64Array(CAPACITY_MIN)
  #mask = CAPACITY_MIN - 1
  #head = 0
  #length = 0
  /** Large replies, and the earlier parts of those that come in parts, while it is not their turn. */
  #parts: Map<number, Piece[]> | undefined
  #heldBytes = 0
  /** Small held replies lie here one after the other; it starts again when none is left. */
  readonly #small = new Arena(arenas)
  #large: Arena | undefined
  /** Frames that must not stand in the middle of the head's reply. */
  #pushes: Buffer[] | undefined
  /** A part of the head's reply has gone to the output. */
  #headStarted = false
  /** Bytes of the head's reply so far. */
  #headBytes = 0
  #largestReplyBytes = 0

  constructor(output: ReplyOutput, inHand: Sent = { sentMs: 0 }, watch = UNWATCHED) {
    this.#output = output
    this.#inHand = inHand
    this.#watch = watch
  }

  /** Is told of each reply. A new watch must pass the call on to the previous one. */
  get watch(): SettleWatch {
    return this.#watch
  }

  set watch(watch: SettleWatch) {
    this.#watch = watch
  }

  /** Requests not yet answered to the client. */
  get length(): number {
    return this.#length
  }

  /** Bytes of replies held because it is not their turn. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The head's reply has gone out in part: only its own rest may follow. */
  get headStarted(): boolean {
    return this.#headStarted
  }

  /** Bytes of the largest recent reply; fades by an eighth with each smaller one. */
  get largestReplyBytes(): number {
    return this.#largestReplyBytes
  }

  /**
   * Opens the place for the next request's reply and returns its ticket. `command` and `openedMs` are
   * kept for statistics.
   */
  open(command = 0, openedMs = 0): number {
    if (this.#length > this.#mask) this.#grow()
    const ticket = (this.#head + this.#length) & TICKET_MASK
    const at = ticket & this.#mask
    this.#states[at] = WAITING
    this.#commands[at] = command
    this.#openedMs[at] = openedMs
    this.#length++
    return ticket
  }

  /** The ticket of the reply that is opened next. */
  get nextTag(): number {
    return (this.#head + this.#length) & TICKET_MASK
  }

  /** Whether the reply for `ticket`, which is open, was, or will be next, has still to go out. */
  owes(ticket: number): boolean {
    return ((ticket - this.#head) & TICKET_MASK) <= TICKET_MASK >> 1
  }

  /** The command whose reply has the place `ticket`, which is open. */
  commandOf(ticket: number): number {
    return this.#commands[ticket & this.#mask] as number
  }

  /** Says for `ticket`, which is open, that it came in at another moment. */
  reopen(ticket: number, openedMs: number): void {
    this.#openedMs[ticket & this.#mask] = openedMs
  }

  /** Whether part of the reply for `ticket`, which is open, has come. */
  hasBegun(ticket: number): boolean {
    return ticket === this.#head ? this.#headStarted : this.#parts?.has(ticket) === true
  }

  /** Whether `ticket`, which is open, was opened last. */
  isNewest(ticket: number): boolean {
    return ticket === ((this.#head + this.#length - 1) & TICKET_MASK)
  }

  /** Takes (part of) the reply for `ticket`; `last` completes it. */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (ticket !== this.#head) {
      this.#hold(ticket, bytes, start, end, last)
      return
    }
    this.#output.append(bytes, start, end)
    this.#headBytes += end - start
    this.#headStarted = !last
    if (last) {
      if (this.#pushes !== undefined) this.#sendPushes()
      this.#sentMs[ticket & this.#mask] = this.#inHand.sentMs
      this.#shift()
      const settled = this.#length > 0 && this.#states[this.#head & this.#mask] === SETTLED
      if (settled || this.#parts !== undefined) this.#release()
    }
  }

  /** The reply for `ticket` is a frame that never changes: it is held without copying. */
  replyFrame(ticket: number, frame: Buffer): void {
    if (ticket !== this.#head) {
      this.#heldBytes += frame.length
      this.#settleAt(ticket, frame, 0, frame.length)
    } else {
      this.reply(ticket, frame, 0, frame.length, true)
    }
  }

  /** The request for `ticket` failed; returns false when part of its reply has already gone out. */
  fail(ticket: number, frame: Buffer): boolean {
    if (ticket === this.#head && this.#headStarted) return false
    const parts = this.#parts?.get(ticket)
    if (parts !== undefined) {
      for (const part of parts) {
        this.#heldBytes -= part.end - part.start
        unshelve(part)
      }
      this.#parts?.delete(ticket)
      if (this.#parts?.size === 0) this.#parts = undefined
    }
    this.replyFrame(ticket, frame)
    return true
  }

  /**
   * Sends a frame that belongs to no request and never changes: now, or behind the reply that has
   * gone out in part.
   */
  push(frame: Buffer): void {
    if (this.#headStarted) {
      this.#pushes ??= []
      this.#pushes.push(frame)
      this.#heldBytes += frame.length
    } else if (frame.length >= LARGE_BYTES) {
      // All subscribers of a channel share the one frame.
      this.#output.give(frame)
    } else {
      this.#output.append(frame, 0, frame.length)
    }
  }

  #sendPushes(): void {
    const pushes = this.#pushes ?? []
    this.#pushes = undefined
    for (const frame of pushes) {
      this.#heldBytes -= frame.length
      this.push(frame)
    }
  }

  /** Lets all memory go; the queue must not be used again. */
  clear(): void {
    this.#small.clear()
    this.#large?.clear()
    this.#held = []
    for (const parts of this.#parts?.values() ?? []) for (const part of parts) unshelve(part)
    this.#parts = undefined
    this.#pushes = undefined
    this.#heldBytes = 0
    this.#length = 0
  }

  /** The head's reply has gone out. */
  #shift(): void {
    const at = this.#head & this.#mask
    // Read here: a double as an argument costs an object a reply.
    this.#watch.settled(this.#openedMs[at] as number, this.#sentMs[at] as number)
    this.#note(this.#headBytes)
    this.#headBytes = 0
    this.#head = (this.#head + 1) & TICKET_MASK
    this.#length--
  }

  #note(bytes: number): void {
    const faded = this.#largestReplyBytes - (this.#largestReplyBytes >> 3)
    this.#largestReplyBytes = bytes > faded ? bytes : faded
  }

  #hold(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const length = end - start
    this.#heldBytes += length
    if (!last || length >= LARGE_BYTES) {
      this.#holdPart(ticket, bytes, start, end, last)
      return
    }
    const arena = this.#arenaFor(length)
    const at = arena.put(bytes, start, length)
    if (at >= 0) this.#settleAt(ticket, arena.bytes as Buffer, at, at + length)
    else this.#holdPart(ticket, bytes, start, end, last)
  }

  #holdPart(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#parts ??= new Map()
    const parts = this.#parts.get(ticket)
    const part = shelve(bytes, start, end)
    if (parts === undefined) this.#parts.set(ticket, [part])
    else parts.push(part)
    if (last) this.#settleAt(ticket, NOTHING, 0, 0)
  }

  #arenaFor(length: number): Arena {
    if (length <= SMALL_REPLY_BYTES_MAX) return this.#small
    this.#large ??= new Arena(writeChunks)
    return this.#large
  }

  #settleAt(ticket: number, bytes: Buffer, start: number, end: number): void {
    const at = ticket & this.#mask
    this.#held[at] = bytes
    this.#starts[at] = start
    this.#ends[at] = end
    this.#states[at] = SETTLED
    this.#sentMs[at] = this.#inHand.sentMs
  }

  /** Sends all settled replies from the head on. */
  #release(): void {
    while (this.#length > 0) {
      const at = this.#head & this.#mask
      if (this.#states[at] !== SETTLED) break
      if (this.#parts !== undefined) this.#releaseParts()
      this.#releaseHeld(at)
      this.#shift()
    }
    // A reply of which only parts have come goes on as the head, straight to the output.
    if (this.#parts !== undefined && this.#length > 0) this.#headStarted = this.#releaseParts()
    this.#small.rest()
    this.#large?.rest()
  }

  #releaseHeld(at: number): void {
    const bytes = this.#held[at] as Buffer
    const start = this.#starts[at] as number
    const end = this.#ends[at] as number
    this.#held[at] = undefined
    this.#heldBytes -= end - start
    this.#headBytes += end - start
    if (bytes === this.#small.bytes) this.#small.drop()
    else if (bytes === this.#large?.bytes) this.#large.drop()
    else if (end - start >= LARGE_BYTES) {
      this.#output.give(bytes.subarray(start, end))
      return
    }
    this.#output.append(bytes, start, end)
  }

  /** Sends the parts held for the head, if any. */
  #releaseParts(): boolean {
    const parts = this.#parts?.get(this.#head)
    if (parts === undefined) return false
    this.#parts?.delete(this.#head)
    if (this.#parts?.size === 0) this.#parts = undefined
    for (const part of parts) {
      const { chunk, start, end } = part
      this.#heldBytes -= end - start
      this.#headBytes += end - start
      if (end - start >= LARGE_BYTES) {
        this.#output.lend(chunk.bytes.subarray(start, end), chunk)
      } else {
        this.#output.append(chunk.bytes, start, end)
        unshelve(part)
      }
    }
    return true
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1)
    const held: (Buffer | undefined)[] = new Array(capacity).fill(undefined)
    const starts = new Int32Array(capacity)
    const ends = new Int32Array(capacity)
    const states = new Uint8Array(capacity)
    const commands = new Int32Array(capacity)
    const openedMs = new Float64Array(capacity)
    const sentMs = new Float64Array(capacity)
    for (let i = 0; i < this.#length; i++) {
      const from = (this.#head + i) & this.#mask
      const to = (this.#head + i) & (capacity - 1)
      held[to] = this.#held[from]
      starts[to] = this.#starts[from] as number
      ends[to] = this.#ends[from] as number
      states[to] = this.#states[from] as number
      commands[to] = this.#commands[from] as number
      openedMs[to] = this.#openedMs[from] as number
      sentMs[to] = this.#sentMs[from] as number
    }
    this.#held = held
    this.#starts = starts
    this.#ends = ends
    this.#states = states
    this.#commands = commands
    this.#openedMs = openedMs
    this.#sentMs = sentMs
    this.#mask = capacity - 1
  }
}
