/** A master, or a replica that copies it: answers each request with how many writes it has. */
import type { ShardFailures } from '../../../lib/failures.ts'
import type { Frame } from '../../../lib/upstream/backend.ts'
import type { Lane } from '../../../lib/upstream/lane.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { latin1 } from '../../support/frames.ts'

interface Waiting {
  readonly isWrite: boolean
  readonly sink: ReplySink
  readonly ticket: number
}

export const READ = latin1('GET k\r\n')
export const WRITE = latin1('INCR k\r\n')

/** How often each read was sent, to whichever server. */
const timesSent = new WeakMap<ReplySink, number>()

/** It has all that reads ask of a `Shard`. */
export class ReplicaServer {
  readonly name = 'a'
  readonly up = true
  readonly stats = { reconnects: 0 }
  readonly errors: ShardFailures
  /** How many writes it has. */
  version = 0
  /** It refuses its next request. */
  loading = false
  readonly #master: ReplicaServer | undefined
  #waiting: Waiting[] = []

  constructor(errors: ShardFailures, master: ReplicaServer | undefined) {
    this.errors = errors
    this.#master = master
  }

  get owes(): boolean {
    return this.#waiting.length > 0
  }

  get inFlight(): number {
    return this.#waiting.length
  }

  connectionFor(): { readonly state: 'ready'; readonly incarnation: number } {
    return { state: 'ready', incarnation: 1 + this.stats.reconnects }
  }

  isAway(): boolean {
    return false
  }

  refusal(): ShardFailures['unavailable'] {
    return this.errors.unavailable
  }

  send(_sessionId: number, _lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    const { bytes, frameStart, frameEnd } = frame
    const isWrite = bytes.subarray(frameStart, frameEnd).equals(WRITE)
    if (isWrite && this.#master !== undefined) throw new Error('a replica was sent a write')
    const times = 1 + (timesSent.get(sink) ?? 0)
    // The sink of a write is its session, of a read the read.
    if (!isWrite) timesSent.set(sink, times)
    if (!isWrite && times > 2) throw new Error('a read was sent three times')
    this.#waiting.push({ isWrite, sink, ticket })
  }

  /** Does what has waited longest, and answers. */
  execute(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    const line = this.loading ? '-LOADING it loads\r\n' : this.#do(next)
    this.loading = false
    next.sink.reply(next.ticket, latin1(line), 0, line.length, true)
  }

  /** It gets so many more of the writes that its master has. */
  copy(writes: number): void {
    this.version = Math.min(this.version + writes, this.#master?.version ?? this.version)
  }

  /** It loses its connections, perhaps after it has done what had reached it. */
  break(executed: boolean): void {
    const lost = this.#waiting
    this.#waiting = []
    this.stats.reconnects++
    if (executed) for (const each of lost) this.#do(each)
    for (const { sink, ticket } of lost) sink.failed(ticket, this.errors.lost)
  }

  /** As after a crash: it has what it had some time ago. */
  startAnew(): void {
    this.break(false)
    this.version = Math.floor(this.version / 2)
  }

  #do({ isWrite }: Waiting): string {
    if (isWrite) this.version++
    return `:${this.version}\r\n`
  }
}
