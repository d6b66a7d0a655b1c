/** A session without a socket: lib's scanner, reply queue and outbox, as Session joins them. */

import { Collector } from '../../lib/dispatcher/core/collector.ts'
import { interleaved, type Merge, merged } from '../../lib/dispatcher/core/finish.ts'
import { ReplyQueue } from '../../lib/downstream/reply-queue.ts'
import type { Failure } from '../../lib/failures.ts'
import { LARGE_BYTES, Outbox } from '../../lib/io/outbox.ts'
import type { Flushable } from '../../lib/io/turn.ts'
import { bulkFrame } from '../../lib/resp/encode.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { KeyGroups } from '../../lib/routing/key-groups.ts'
import { mergeReplies } from '../../lib/routing/merge/reassemble.ts'
import { encodeFragment } from '../../lib/upstream/fragment.ts'
import type { ReplySink } from '../../lib/upstream/reply-sink.ts'
import { FakeTarget } from '../support/fake-target.ts'
import type { ManualTurn } from '../support/manual-turn.ts'
import { argumentsOf } from '../support/scan.ts'
import { effectsOf, shardOf } from './commands.ts'
import type { SimulatedConnection } from './simulated-connection.ts'

/** Requests in flight, beyond which the rest of what was read waits. */
const WINDOW = 12

const concatenated: Merge = (replies) => mergeReplies('concatenate', replies)

export class SimulatedSession implements ReplySink, Flushable {
  readonly target = new FakeTarget()
  readonly outbox: Outbox
  readonly queue: ReplyQueue
  readonly scanner = new RequestScanner()
  closed = false
  readonly #manual: ManualTurn
  readonly #connections: readonly SimulatedConnection[]
  readonly #groups = new KeyGroups()
  #waiting = false
  #resumeAsked = false

  constructor(manual: ManualTurn, connections: readonly SimulatedConnection[]) {
    this.#manual = manual
    this.#connections = connections
    this.outbox = new Outbox(manual.turn, {
      drained: () => {},
      expectsMore: () => this.queue.length > 0,
    })
    this.queue = new ReplyQueue(this.outbox)
    this.outbox.open(this.target)
  }

  receive(buffer: Buffer, length: number): void {
    if (this.#waiting) {
      this.scanner.feedMore(buffer, length)
      return
    }
    this.scanner.feed(buffer, length)
    this.#pump()
  }

  flush(): void {
    this.#resumeAsked = false
    if (this.closed || !this.#waiting) return
    this.#waiting = false
    this.#pump()
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.closed) return
    this.queue.reply(ticket, bytes, start, end, last)
    this.#askResume()
  }

  failed(ticket: number, error: Failure): void {
    if (this.closed) return
    if (this.queue.fail(ticket, error.frame)) this.#askResume()
    else this.close()
  }

  close(): void {
    this.closed = true
    this.queue.clear()
    this.outbox.reset()
  }

  #pump(): void {
    while (this.queue.length < WINDOW && !this.closed) {
      const result = this.scanner.next()
      if (result === 'more') return
      if (result === 'error') throw new Error(`a good request was refused: ${this.scanner.error}`)
      this.#handle(this.scanner)
    }
    this.#waiting = true
    this.scanner.keepRest()
    this.#askResume()
  }

  #askResume(): void {
    if (!this.#waiting || this.#resumeAsked || this.queue.length > WINDOW / 2) return
    this.#resumeAsked = true
    this.#manual.turn.flushLater(this)
  }

  #handle(request: RequestScanner): void {
    const [name, ...keys] = argumentsOf(request)
    const ticket = this.queue.open()
    if (name === 'PING') {
      this.queue.replyFrame(ticket, bulkFrame(Buffer.from(keys[0] ?? '', 'latin1')))
    } else if (name === 'KEYS') {
      const finish = merged(this, ticket, false, concatenated)
      const collector = new Collector(this.#connections.length, finish)
      for (const shard of this.#connections.keys()) this.#forward(request, shard, collector, shard)
    } else if (name === 'MGET') {
      this.#split(request, keys, ticket)
    } else {
      this.#forward(request, shardOf(keys[0] ?? ''), this, ticket)
    }
  }

  #forward(request: RequestScanner, shard: number, sink: ReplySink, ticket: number): void {
    const { bytes, frameStart, frameEnd, owned } = request
    const effects = effectsOf(argumentsOf(request), shard)
    const outbox = this.#connections[shard]?.enter(sink, ticket, effects)
    if (owned && frameEnd - frameStart >= LARGE_BYTES) {
      outbox?.give(bytes.subarray(frameStart, frameEnd))
    } else {
      outbox?.append(bytes, frameStart, frameEnd)
    }
  }

  #split(request: RequestScanner, keys: readonly string[], ticket: number): void {
    const groups = this.#groups
    groups.begin(keys.length, this.#connections.length)
    for (const [i, key] of keys.entries()) groups.add(i, shardOf(key), 0)
    const { places, counts, firstKeys } = groups
    const groupOf = groups.groupOf.slice(0, keys.length)
    const collector = new Collector(places.length, interleaved(this, ticket, false, groupOf))
    for (const [index, shard] of places.entries()) {
      const effects = keys.filter((_, i) => groupOf[i] === index)
      const outbox = this.#connections[shard]?.enter(collector, index, effects)
      if (outbox === undefined) continue
      const [keyCount = 0, firstKey = 0] = [counts[index], firstKeys[index]]
      encodeFragment(outbox, { request, stride: 1, groupOf, index, keyCount, firstKey })
    }
  }
}
