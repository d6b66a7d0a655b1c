/** A shard connection without a socket: lib's FIFO, cutter and outbox, as ShardConnection joins them. */
import { Outbox } from '../../lib/io/outbox.ts'
import { Fifo } from '../../lib/upstream/fifo.ts'
import { ReplyCutter } from '../../lib/upstream/reply-cutter.ts'
import type { ReplySink, ShardError } from '../../lib/upstream/reply-sink.ts'
import { type ShardErrors, shardErrors } from '../../lib/upstream/shard-errors.ts'
import { FakeTarget } from '../support/fake-target.ts'
import type { ManualTurn } from '../support/manual-turn.ts'
import type { SimulatedShard } from './simulated-shard.ts'

const REQUEST_TIMEOUT_MS = 50

/** Stands between the FIFO and whoever asked, and insists that each is told exactly once. */
class Entry implements ReplySink {
  told = false
  readonly #sink: ReplySink

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#tell(last)
    this.#sink.reply(tag, bytes, start, end, last)
  }

  failed(tag: number, error: ShardError): void {
    this.#tell(true)
    this.#sink.failed(tag, error)
  }

  #tell(last: boolean): void {
    if (this.told) throw new Error('a request was answered twice')
    this.told = last
  }
}

export class SimulatedConnection {
  readonly shard: SimulatedShard
  readonly errors: ShardErrors
  readonly outbox: Outbox
  target = new FakeTarget()
  state: 'waiting' | 'connecting' | 'ready' = 'waiting'
  readonly #fifo = new Fifo()
  readonly #cutter: ReplyCutter
  readonly #manual: ManualTurn
  /** What the FIFO should hold. */
  #entries: Entry[] = []

  constructor(shard: SimulatedShard, manual: ManualTurn) {
    this.shard = shard
    this.errors = shardErrors(`s${shard.index}`)
    this.#manual = manual
    this.outbox = new Outbox(manual.turn, { drained: () => {}, expectsMore: () => false })
    this.#cutter = new ReplyCutter((bytes, start, end, last) =>
      this.#onReply(bytes, start, end, last),
    )
  }

  enter(sink: ReplySink, tag: number): Outbox | undefined {
    if (this.state === 'waiting') {
      sink.failed(tag, this.errors.unavailable)
      return undefined
    }
    const entry = new Entry(sink)
    this.#entries.push(entry)
    const deadlineMs = this.#manual.turn.now() + REQUEST_TIMEOUT_MS
    this.#fifo.push(entry, tag, deadlineMs, this.outbox.position)
    return this.outbox
  }

  read(buffer: Buffer, length: number): void {
    if (!this.#cutter.take(buffer, length)) this.lose(true)
  }

  #onReply(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    const [head] = this.#entries
    if (last && head !== undefined) this.#entries.shift()
    const asked = this.#fifo.reply(bytes, start, end, last)
    if (asked !== (head !== undefined)) throw new Error('the FIFO lost count of its requests')
    if (!asked) this.lose(true)
    else if (last && head?.told === false) throw new Error('a reply reached nobody')
    return this.state === 'ready'
  }

  expire(): void {
    const nowMs = this.#manual.turn.now()
    const dueMs = this.#fifo.nextDeadlineMs
    if (this.state === 'connecting' && dueMs <= nowMs) {
      // Nothing was sent, and nothing will be.
      this.lose(false)
      return
    }
    const expired = this.#fifo.expire(nowMs, this.errors.timedOut)
    if (expired > 0 !== dueMs <= nowMs) throw new Error('the FIFO missed a deadline')
  }

  /** `executed`: what had reached the shard was done all the same. */
  lose(executed: boolean): void {
    this.state = 'waiting'
    this.#leave(executed)
    const { handedBytes } = this.outbox
    this.outbox.reset()
    const entries = this.#entries
    this.#entries = []
    this.#fifo.failAll(handedBytes, this.errors.lost, this.errors.unavailable)
    if (entries.some((entry) => !entry.told)) throw new Error('a request was forgotten')
  }

  /** The same of a connection that worked: what was not sent waits for the next one. */
  drop(executed: boolean): void {
    this.state = 'connecting'
    this.#leave(executed)
    this.#fifo.failSent(this.outbox.handedBytes, this.errors.lost, (position) => {
      this.outbox.detach(position)
    })
    this.#entries = this.#entries.filter((entry) => !entry.told)
  }

  #leave(executed: boolean): void {
    this.shard.receive(this.target.takeReceived())
    this.shard.disconnect(executed)
    // What the old one still holds reaches nobody any more.
    this.target = new FakeTarget()
    this.#cutter.reset()
  }

  connect(): void {
    this.state = 'connecting'
  }

  becomeReady(): void {
    this.state = 'ready'
    this.outbox.open(this.target)
  }

  get pending(): number {
    return this.#entries.length
  }

  /** Written - answered - tombstones = pending. */
  check(): void {
    const tombstones = this.#entries.filter((entry) => entry.told).length
    if (this.#fifo.length !== this.#entries.length || this.#fifo.tombstones !== tombstones) {
      const { length, tombstones: counted } = this.#fifo
      const should = `${this.#entries.length} entries and ${tombstones} tombstones`
      throw new Error(`FIFO has ${length} and ${counted} instead of ${should}`)
    }
  }
}
