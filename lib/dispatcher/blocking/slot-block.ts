/**
 * One client that is blocked on a slot of a cluster. When the slot moves, or its master becomes a replica,
 * the client is blocked again where the slot is by then, for what is left of its time.
 */
import { type Failure, OVERLOADED, UNBLOCKED } from '../../failures.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Request } from '../../resp/request.ts'
import { type ShardConnection, UNHEARD } from '../../upstream/connection/connection.ts'
import { ASKING, type Shard } from '../../upstream/shard.ts'
import { argument } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import { Collector } from '../core/collector.ts'
import { SlotAttempts } from '../core/slot-attempts.ts'
import { fromLast, readLast, type Streams } from './reads/read-request.ts'
import type { Timeout } from './timeouts.ts'
import { type WaitElsewhere, Waiting } from './waiting.ts'

export interface SlotBlockOptions {
  readonly places: MovingPlaces
  readonly client: Client
  readonly slot: number
  /** The node that has the slot now, or a stand-in while no node has it. */
  readonly shard: Shard
  readonly request: Request
  /** What an XREAD reads: it takes nothing, so that it can be sent again whatever became of it. */
  readonly streams: Streams | undefined
  readonly timeout: Timeout
  readonly requestTimeoutMs: number
}

export class SlotBlock implements WaitElsewhere {
  readonly #options: SlotBlockOptions
  readonly #request: KeptRequest
  readonly #sinceMs = performance.now()
  readonly #attempts: SlotAttempts
  readonly #waiting: Waiting
  #hasBegun = false
  #streams: Streams | undefined

  constructor(options: SlotBlockOptions) {
    this.#options = options
    const { places, client, slot, shard, request } = options
    this.#request = new KeptRequest(request)
    this.#streams = options.streams
    this.#attempts = new SlotAttempts({
      places,
      client,
      slot,
      deadlineMs: this.#attemptsEndMs,
      go: (node, asking) => this.#go(node, asking),
      failed: (failure) => this.#waiting.giveUp(failure),
    })
    this.#waiting = new Waiting(client, shard, this)
  }

  begin(): void {
    this.#attempts.begin()
  }

  /** WaitElsewhere */
  refused(bytes: Buffer, start: number, end: number): (() => void) | undefined {
    const { places, slot } = this.#options
    const line = places.refusalIn(bytes, start, end, slot)
    if (line === undefined) return undefined
    this.#attempts.extend(this.#attemptsEndMs)
    return () => this.#attempts.refused(line)
  }

  /** WaitElsewhere */
  failed(failure: Failure): (() => void) | undefined {
    const isLostRead = this.#streams !== undefined && failure.kind === 'lost'
    // Only if the node took nothing for the client: it was unblocked there, or never got there.
    if (failure !== UNBLOCKED && failure.label !== 'not sent' && !isLostRead) return undefined
    if (failure === UNBLOCKED || isLostRead) this.#attempts.extend(this.#attemptsEndMs)
    return () => this.#attempts.wait()
  }

  /** WaitElsewhere */
  over(): void {
    this.#attempts.stop()
  }

  /** A wait may be long, but to find the next node may take only as long as any request. */
  get #attemptsEndMs(): number {
    return performance.now() + this.#options.requestTimeoutMs
  }

  #go(node: Shard, asking: boolean): void {
    const { client, timeout, requestTimeoutMs } = this.#options
    const pool = node.leases(client.lane)
    const lease = pool.take(true)
    if (lease === undefined) {
      this.#waiting.giveUp(OVERLOADED)
      return
    }
    this.#waiting.blockOn(node, pool, lease)
    this.#askForEnds(lease, asking)
    if (asking) lease.send(UNHEARD, 0, ASKING, 0, ASKING.length, true)
    const leftMs = Math.max(1, timeout.ms - (performance.now() - this.#sinceMs))
    const frame = this.#hasBegun ? this.#frameFor(leftMs) : this.#request.bytes
    this.#hasBegun = true
    lease.send(this.#waiting, 0, frame, 0, frame.length, false, leftMs + requestTimeoutMs)
  }

  /** Where it waits next it would miss what comes in between, if it read from the ends that streams have then. */
  #askForEnds(lease: ShardConnection, asking: boolean): void {
    const streams = this.#streams
    const reads = streams === undefined ? [] : readLast(streams)
    if (reads.length === 0) return
    const collector = new Collector(reads.length, (collected) => {
      if (collected.error !== undefined || streams === undefined) return
      const replies = reads.map((_, part) => collected.frame(part) as Buffer)
      this.#streams = fromLast(streams, reads, replies)
    })
    for (const [part, { args }] of reads.entries()) {
      const frame = requestFrame(args)
      if (asking) lease.send(UNHEARD, 0, ASKING, 0, ASKING.length, true)
      lease.send(collector, part, frame, 0, frame.length, true)
    }
  }

  /** The request with what is left of its time, and with the ids from which it reads. */
  #frameFor(leftMs: number): Buffer {
    const { timeout } = this.#options
    const request = this.#request
    const streams = this.#streams
    const isForEver = leftMs === Number.POSITIVE_INFINITY
    if (isForEver && streams === undefined) return request.bytes
    const left =
      timeout.unitMs === 1 ? `${Math.ceil(leftMs)}` : (leftMs / timeout.unitMs).toFixed(3)
    return requestFrame(
      Array.from({ length: request.argc }, (_, at) => {
        if (at === timeout.index && !isForEver) return left
        return streams?.args[at] ?? argument(request, at)
      }),
    )
  }
}
