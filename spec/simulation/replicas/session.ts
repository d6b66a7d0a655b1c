/** A session that reads and writes, and knows what it may be told: see docs/replicas.md. */
import type { Failure } from '../../../lib/failures.ts'
import { ownFrame } from '../../../lib/upstream/backend.ts'
import type { Lane } from '../../../lib/upstream/lane.ts'
import type { Reader, ReadingNow } from '../../../lib/upstream/replicas/reader.ts'
import { SessionReads } from '../../../lib/upstream/replicas/session-reads.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { READ, type ReplicaServer, WRITE } from './server.ts'

interface Parts {
  readonly reader: Reader
  readonly reading: ReadingNow
  readonly master: ReplicaServer
  readonly lane: Lane
  readonly now: () => number
}

interface Asked {
  readonly isWrite: boolean
  /** How many writes there were by the reply; 'failed': there is none; undefined: not answered yet. */
  version: number | 'failed' | undefined
}

const IN_FLIGHT_MAX = 8

export class ReplicaSession implements ReplySink {
  readonly #id: number
  readonly #parts: Parts
  readonly #reads: SessionReads
  /** Requests whose replies have not gone to the client, the oldest first. */
  readonly #asked: Asked[] = []
  #firstTicket = 0
  /** What the client has seen. */
  #seen = 0

  constructor(id: number, parts: Parts) {
    this.#id = id
    this.#parts = parts
    this.#reads = new SessionReads({
      sessionId: id,
      replied: { settled: () => {} },
      inFlight: () => this.#asked.length,
      isClosed: () => false,
      now: parts.now,
    })
  }

  get waitingFor(): number {
    return this.#asked.length
  }

  read(): void {
    const { reader, reading, lane } = this.#parts
    if (this.#asked.length >= IN_FLIGHT_MAX) return
    reading.session = this.#reads
    reader.send(this.#id, lane, ownFrame(READ), this, this.#open(false))
  }

  /** A write waits for reads at replicas: here it is not asked for at all. */
  write(): void {
    const { master, lane } = this.#parts
    if (this.#reads.onReplicas > 0 || this.#asked.length >= IN_FLIGHT_MAX) return
    this.#reads.writes()
    master.send(this.#id, lane, ownFrame(WRITE), this, this.#open(true))
  }

  #open(isWrite: boolean): number {
    this.#asked.push({ isWrite, version: undefined })
    return this.#firstTicket + this.#asked.length - 1
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    this.#answer(ticket, text.startsWith(':') ? Number(text.slice(1)) : 'failed')
  }

  failed(ticket: number, _failure: Failure): void {
    this.#answer(ticket, 'failed')
  }

  #answer(ticket: number, version: number | 'failed'): void {
    const asked = this.#asked[ticket - this.#firstTicket]
    if (asked === undefined || asked.version !== undefined) throw new Error('answered twice')
    asked.version = version
    while (this.#asked[0]?.version !== undefined) {
      this.#check(this.#asked.shift() as Asked)
      this.#firstTicket++
      this.#reads.settled(0, 0)
    }
  }

  /** What a session sees never grows younger: neither what it has read nor what it has written is missing. */
  #check({ isWrite, version }: Asked): void {
    if (typeof version !== 'number') return
    const isBack = isWrite ? version <= this.#seen : version < this.#seen
    if (isBack) {
      throw new Error(`session ${this.#id} saw ${this.#seen} and then ${version}`)
    }
    this.#seen = version
  }
}
