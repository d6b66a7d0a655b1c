/** The near-cache's reads between a client and a shard that the spec plays. */

import { mergeLayers } from '../../../lib/config/schema.ts'
import type { CacheClient, ReadRequest } from '../../../lib/nearcache/cache-client.ts'
import { Entries } from '../../../lib/nearcache/memory/entries.ts'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'
import { Prefixes } from '../../../lib/nearcache/memory/prefixes.ts'
import { Sightings } from '../../../lib/nearcache/memory/sightings.ts'
import type { NearCacheSettings } from '../../../lib/nearcache/near-cache-settings.ts'
import { type Keeping, SingleReads } from '../../../lib/nearcache/reads/single-reads.ts'
import type { Sources } from '../../../lib/nearcache/tracking/sources.ts'
import { Life, Writes } from '../../../lib/nearcache/writes.ts'
import { requestFrame } from '../../../lib/resp/encode.ts'
import type { InHand } from '../../../lib/stats/in-hand.ts'
import { NearCacheStats } from '../../../lib/stats/near-cache-stats.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { ManualTurn } from '../manual-turn.ts'
import { PretendedConnection } from './pretended-connection.ts'

class ReadingClient implements ReplySink {
  readonly id = 1
  readonly closed = false
  readonly replies: string[] = []
  nextTicket = 0
  #settled = 0

  open(): number {
    return this.nextTicket++
  }

  owes(ticket: number): boolean {
    return ticket >= this.#settled
  }

  settleAll(): void {
    this.#settled = this.nextTicket
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number): void {
    this.replies.push(bytes.toString('latin1', start, end))
  }

  failed(): void {}
}

/** A source that is tracked as long as it has a number. */
class PretendedSource {
  number = 5
  confirmedMs = 0

  current(): number {
    return this.number
  }

  confirm(): void {}
}

export function requestOf(...words: string[]): ReadRequest {
  return requestIn(requestFrame(words), 0)
}

/** The request that begins at `start`, to the end. */
function requestIn(bytes: Buffer, start: number): ReadRequest {
  const lines = bytes.toString('latin1', start).split('\r\n')
  const offsets: number[] = []
  let at = start
  for (const [index, line] of lines.entries()) {
    if (index > 0 && index % 2 === 0) offsets.push(at, at + line.length)
    at += line.length + 2
  }
  return {
    ...{ bytes, frameStart: start, frameEnd: bytes.length, argc: offsets.length / 2 },
    ...{ offsets: Int32Array.from(offsets), owned: false },
  }
}

export class ReadScene {
  readonly turn = new ManualTurn()
  readonly stats = new NearCacheStats()
  readonly connection = new PretendedConnection()
  readonly source = new PretendedSource()
  readonly client = new ReadingClient()
  /** What the shard was sent the usual way: where the reply goes. */
  readonly sent: ReplySink[] = []
  readonly sources = { of: () => this.source } as unknown as Sources
  readonly keeping: Keeping = {
    settings: { ...mergeLayers([{}]), nearCacheKeys: ['k:'] },
    prefixes: new Prefixes(['k:'], 0),
    entries: new Entries(64 * 1024),
    sightings: new Sightings(1024),
  }
  readonly shard = {
    connectionFor: () => this.connection,
    send: (_id: number, _lane: object, _frame: object, sink: ReplySink) => this.sent.push(sink),
  } as unknown as Shard
  /** The keys' place; `changedAt` and `admits` are as in a cluster, once they are set. */
  readonly way = {
    shard: this.shard,
    changedAt: 0,
    admits: true,
    entrust: (_frame: object, sink: ReplySink) => sink as ReplySink | undefined,
    send: (_frame: object, sink: ReplySink) => this.sent.push(sink),
  }
  readonly asClient: CacheClient
  readonly single: SingleReads
  readonly #writes = new Writes()

  constructor() {
    const lane = { id: 0, protocol: 2, database: 0, credentials: undefined } as const
    this.asClient = { mode: undefined, session: this.client, lane }
    this.single = new SingleReads(this.keeping, this.sources, this.#writes, {
      ...{ turn: this.turn.turn, stats: this.stats },
      inHand: { command: 0 } as InHand,
    })
  }

  get settings(): NearCacheSettings {
    return this.keeping.settings
  }

  set(settings: Partial<NearCacheSettings>): void {
    this.keeping.settings = { ...this.keeping.settings, ...settings }
  }

  read(...words: string[]): boolean {
    return this.single.read(this.asClient, requestOf(...words), this.way)
  }

  readFrom(bytes: Buffer, start: number): boolean {
    return this.single.read(this.asClient, requestIn(bytes, start), this.way)
  }

  /** The reply is kept; the key does not expire. */
  keep(reply: string, ...words: string[]): void {
    this.keepFor(-1, reply, ...words)
  }

  keepFor(lifeMs: number, reply: string, ...words: string[]): void {
    this.read(...words)
    this.read(...words)
    this.connection.answer('+OK\r\n', reply, `:${lifeMs}\r\n`)
  }

  /** Time passes; unless `confirmed` is false the shard goes on giving signs of life. */
  pass(ms: number, confirmed = true): void {
    this.at(this.turn.nowMs + ms, confirmed)
  }

  at(nowMs: number, confirmed = true): void {
    this.turn.nowMs = nowMs
    this.turn.end()
    if (confirmed) this.source.confirmedMs = nowMs
  }

  /** A client of ours writes the key, until `over`. */
  write(key: string): { over(): void } {
    const writer = { mode: undefined, session: new ReadingClient() }
    const bytes = Buffer.from(key)
    this.#writes.add(hashBytes(bytes, 0, bytes.length), new Life(writer))
    writer.session.open()
    return { over: () => writer.session.settleAll() }
  }
}
