/**
 * The requests that wait for a reply on one shard connection, oldest first. Replies pair with
 * requests by this order alone, so an entry never leaves before its reply has come or the
 * connection is gone: one that passed its deadline stays as a tombstone that swallows its reply.
 *
 * A power-of-two ring of parallel arrays: a request costs no allocation.
 */
import type { Failure } from '../../failures.ts'
import type { InHand } from '../../stats/in-hand.ts'
import { NotedRequests } from '../../stats/lookout/noted-requests.ts'
import type { ReplySink } from '../reply-sink.ts'
import { type Batch, Batches, type Entry } from './batch.ts'
import type { PlacedClient, PlacedRequest } from './placed/placed-request.ts'
import { Placements } from './placed/placements.ts'
import type { Run } from './placed/run.ts'

const CAPACITY_MIN = 64

export class Fifo {
  #sinks: (ReplySink | undefined)[] = new Array(CAPACITY_MIN).fill(undefined)
  #tickets = new Int32Array(CAPACITY_MIN)
  #deadlinesMs = new Float64Array(CAPACITY_MIN)
  #positions = new Float64Array(CAPACITY_MIN)
  #batches = new Batches()
  #notes = new NotedRequests(CAPACITY_MIN)
  /** Undefined until a request has a place that moves. */
  #placements: Placements | undefined
  /** No entry before this one is in `#placements`. */
  #placedFrom = 0
  #mask = CAPACITY_MIN - 1
  /** Entries are numbered; number n is at place n & mask. */
  #head = 0
  #tail = 0
  /** Every entry before this one has been answered or has expired. */
  #unexpired = 0
  #tombstones = 0

  get length(): number {
    return this.#tail - this.#head
  }

  get tombstones(): number {
    return this.#tombstones
  }

  /**
   * Enters a request before its first byte is written. Its deadline must not be earlier than that of any
   * entry before it. It counts as sent when it was entered, until `stamp`.
   */
  push(sink: ReplySink, ticket: number, entry: Entry): void {
    if (this.#tail - this.#head > this.#mask) this.#grow()
    const at = this.#tail & this.#mask
    this.#sinks[at] = sink
    this.#tickets[at] = ticket
    this.#deadlinesMs[at] = entry.deadlineMs
    this.#positions[at] = entry.position
    this.#batches.add(this.#tail, entry)
    this.#tail++
  }

  /** Says that the request that was pushed last is for a place that moves. */
  place(client: PlacedClient, place: number): void {
    this.#placements ??= new Placements(this.#mask + 1)
    this.#placements.put((this.#tail - 1) & this.#mask, client, place)
  }

  /** Says that what was pushed last is a run: requests for places that move, entered as one. */
  placeRun(client: PlacedClient, run: Run): void {
    this.#placements ??= new Placements(this.#mask + 1)
    this.#placements.putRun((this.#tail - 1) & this.#mask, client, run)
  }

  #takePlacement(from: Placements, at: number): void {
    this.#placements ??= new Placements(this.#mask + 1)
    this.#placements.take((this.#tail - 1) & this.#mask, from, at)
  }

  /** The oldest request, which has not expired, is for a place that moves. */
  get headIsPlaced(): boolean {
    return this.#head < this.#tail && this.#placements?.clientAt(this.headAt) !== undefined
  }

  /** Requests for places that move may be among them, which were not handed over. */
  get hasPlaced(): boolean {
    return this.#placements !== undefined && this.#placedFrom < this.#tail
  }

  /**
   * Gives each request for a place that moves another sink, with ticket 0, from stream position `from` on. The
   * stream is as long as `end`.
   */
  handOver(from: number, end: number, heirOf: (request: PlacedRequest) => ReplySink): void {
    const placements = this.#placements
    if (placements === undefined) return
    for (let n = Math.max(this.#head, this.#placedFrom); n < this.#tail; n++) {
      const at = n & this.#mask
      const client = placements.clientAt(at)
      const start = this.#positions[at] as number
      if (client === undefined || start < from) continue
      const request: PlacedRequest = {
        client,
        number: placements.numberAt(at),
        place: placements.placeAt(at),
        sink: this.#sinks[at] as ReplySink,
        ticket: this.#tickets[at] as number,
        deadlineMs: this.#deadlinesMs[at] as number,
        start,
        end: n + 1 < this.#tail ? (this.#positions[(n + 1) & this.#mask] as number) : end,
      }
      this.#sinks[at] = placements.runAt(at)?.handOver(request, heirOf) ?? heirOf(request)
      this.#tickets[at] = 0
      placements.drop(at)
    }
    if (from === 0) this.#placedFrom = this.#tail
  }

  /** Entries since the last stamp were sent at `sentMs`. */
  stamp(sentMs: number): void {
    this.#batches.stamp(sentMs)
  }

  /** The batch of the head; there must be one. */
  get headBatch(): Batch {
    return this.#batches.first
  }

  /** When the head was sent; there must be one. */
  get headSentMs(): number {
    return this.#batches.first.sentMs
  }

  /** When the head was entered; there must be one. */
  get headEnteredMs(): number {
    return this.#batches.first.enteredMs
  }

  /** Keeps what is known of the request that was pushed last. */
  keep(inHand: InHand): void {
    this.#notes.put((this.#tail - 1) & this.#mask, inHand)
  }

  /** What was noted of each request; the oldest is at `headAt`. */
  get notes(): NotedRequests {
    return this.#notes
  }

  get headAt(): number {
    return this.#head & this.#mask
  }

  /** The oldest request waits for its reply: there is one, and it has not expired. */
  get headWaits(): boolean {
    return this.#head < this.#tail && this.#unexpired === this.#head
  }

  /** Who gets the next reply; undefined: nobody, or nobody any more. */
  get headSink(): ReplySink | undefined {
    return this.#head === this.#tail ? undefined : this.#sinks[this.headAt]
  }

  /** Gives the head (part of) its reply. Returns false when nobody asked: a stray reply. */
  reply(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#head === this.#tail) return false
    const at = this.#head & this.#mask
    const sink = this.#sinks[at]
    const ticket = this.#tickets[at] as number
    if (last && this.#placements?.goesOn(at, 1) !== true) this.#leaveHead(at)
    sink?.reply(ticket, bytes, start, end, last)
    return true
  }

  #leaveHead(at: number): void {
    if (this.#sinks[at] === undefined) this.#tombstones--
    this.#sinks[at] = undefined
    this.#notes.drop(at)
    this.#placements?.drop(at)
    this.#head++
    if (this.#head === this.#tail) {
      this.#restart()
    } else {
      if (this.#unexpired < this.#head) this.#unexpired = this.#head
      this.#batches.advance(this.#head)
    }
  }

  /** The head, if it is a run that gets its replies. */
  get headRun(): Run | undefined {
    return this.#head === this.#tail ? undefined : this.#placements?.runAt(this.headAt)
  }

  /** Gives `run`, which is the head, whole replies to its next `count` parts. */
  replies(run: Run, bytes: Buffer, start: number, end: number, count: number): void {
    const at = this.headAt
    if (this.#placements?.goesOn(at, count) !== true) this.#leaveHead(at)
    run.replies(bytes, start, end, count)
  }

  /** The earliest deadline that has not passed, or Infinity. */
  get nextDeadlineMs(): number {
    if (this.#unexpired === this.#tail) return Number.POSITIVE_INFINITY
    return this.#deadlinesMs[this.#unexpired & this.#mask] as number
  }

  /** Lets no request wait longer than until `latestMs`. */
  hasten(latestMs: number): void {
    for (let n = this.#tail - 1; n >= this.#unexpired; n--) {
      const at = n & this.#mask
      // Deadlines ascend: those before it are no later.
      if ((this.#deadlinesMs[at] as number) <= latestMs) return
      this.#deadlinesMs[at] = latestMs
    }
  }

  /** Fails every request whose deadline is not after `nowMs` and leaves tombstones in their places. */
  expire(nowMs: number, error: Failure): number {
    let expired = 0
    while (this.#unexpired < this.#tail && this.nextDeadlineMs <= nowMs) {
      const at = this.#unexpired++ & this.#mask
      const sink = this.#sinks[at]
      this.#sinks[at] = undefined
      this.#placements?.drop(at)
      this.#tombstones++
      expired++
      sink?.failed(this.#tickets[at] as number, error)
    }
    return expired
  }

  /**
   * Empties the queue when the connection is gone. Requests from stream position `handedBytes` on
   * were never given to the socket: they get `unsent`, all others `lost`. Returns how many got which.
   */
  failAll(
    handedBytes: number,
    lost: Failure,
    unsent: Failure,
  ): { readonly lost: number; readonly unsent: number } {
    // Sinks may react by sending again, to this very queue: it must be empty by then.
    const { sinks, tickets, positions, mask, head, tail } = this.#detach()
    const failed = { lost: 0, unsent: 0 }
    for (let n = head; n < tail; n++) {
      const at = n & mask
      const isLost = (positions[at] as number) < handedBytes
      if (sinks[at] !== undefined) failed[isLost ? 'lost' : 'unsent']++
      sinks[at]?.failed(tickets[at] as number, isLost ? lost : unsent)
    }
    return failed
  }

  /**
   * As `failAll`, when another connection will follow: requests that were never given to the socket
   * stay, in their order, unless they have expired. `keepFrom` is told where the first of them
   * begins in the old stream (in the new one that is 0), or Infinity if there is none, before any
   * sink hears of its failure. Returns how many failed.
   */
  failSent(handedBytes: number, lost: Failure, keepFrom: (position: number) => void): number {
    const detached = this.#detach()
    const { sinks, tickets, deadlinesMs, positions, notes, mask, head, tail, unexpired } = detached
    const { placements } = detached
    let batch = detached.batches.first
    // What has expired stands before all that has not, and is not sent any more.
    let keep = unexpired
    while (keep < tail && (positions[keep & mask] as number) < handedBytes) keep++
    const start = keep < tail ? (positions[keep & mask] as number) : Number.POSITIVE_INFINITY
    for (let n = keep; n < tail; n++) {
      const at = n & mask
      const position = (positions[at] as number) - start
      const deadlineMs = deadlinesMs[at] as number
      batch = batchOf(n, batch)
      const { enteredMs } = batch
      this.push(sinks[at] as ReplySink, tickets[at] as number, { enteredMs, deadlineMs, position })
      this.#batches.stamp(batch.sentMs)
      this.#notes.take((this.#tail - 1) & this.#mask, notes, at)
      if (placements !== undefined) this.#takePlacement(placements, at)
    }
    keepFrom(start)
    let failed = 0
    // Sinks may react by sending again: that comes behind what has stayed.
    for (let n = head; n < keep; n++) {
      if (sinks[n & mask] !== undefined) failed++
      sinks[n & mask]?.failed(tickets[n & mask] as number, lost)
    }
    return failed
  }

  /** Where the oldest request's first byte stands in the stream; Infinity when there is none. */
  get oldestPosition(): number {
    if (this.#head === this.#tail) return Number.POSITIVE_INFINITY
    return this.#positions[this.#head & this.#mask] as number
  }

  /** Numbers from 0 again while empty, so that they stay small integers for the engine. */
  #restart(): void {
    this.#head = 0
    this.#tail = 0
    this.#unexpired = 0
    this.#placedFrom = 0
    this.#batches.clear()
  }

  #detach() {
    const detached = {
      sinks: this.#sinks,
      tickets: this.#tickets,
      deadlinesMs: this.#deadlinesMs,
      positions: this.#positions,
      batches: this.#batches,
      notes: this.#notes,
      placements: this.#placements,
      mask: this.#mask,
      head: this.#head,
      tail: this.#tail,
      unexpired: this.#unexpired,
    }
    this.#sinks = new Array(CAPACITY_MIN).fill(undefined)
    this.#tickets = new Int32Array(CAPACITY_MIN)
    this.#deadlinesMs = new Float64Array(CAPACITY_MIN)
    this.#positions = new Float64Array(CAPACITY_MIN)
    this.#batches = new Batches()
    this.#notes = new NotedRequests(CAPACITY_MIN)
    this.#placements = undefined
    this.#mask = CAPACITY_MIN - 1
    this.#restart()
    this.#tombstones = 0
    return detached
  }

  #grow(): void {
    const capacity = 2 * (this.#mask + 1)
    const sinks: (ReplySink | undefined)[] = new Array(capacity).fill(undefined)
    const tickets = new Int32Array(capacity)
    const deadlinesMs = new Float64Array(capacity)
    const positions = new Float64Array(capacity)
    const notes = new NotedRequests(capacity)
    const before = this.#placements
    const placements = before && new Placements(capacity)
    for (let n = this.#head; n < this.#tail; n++) {
      const from = n & this.#mask
      const to = n & (capacity - 1)
      sinks[to] = this.#sinks[from]
      tickets[to] = this.#tickets[from] as number
      deadlinesMs[to] = this.#deadlinesMs[from] as number
      positions[to] = this.#positions[from] as number
      notes.take(to, this.#notes, from)
      if (before !== undefined) placements?.take(to, before, from)
    }
    this.#sinks = sinks
    this.#tickets = tickets
    this.#deadlinesMs = deadlinesMs
    this.#positions = positions
    this.#notes = notes
    this.#placements = placements
    this.#mask = capacity - 1
  }
}

/** The batch of request `number`, which is not before `batch`. */
function batchOf(number: number, batch: Batch): Batch {
  let found = batch
  while (found.next !== undefined && found.next.start <= number) found = found.next
  return found
}
