/**
 * MGET from memory, key by key: what is kept are the replies to GET. Of the keys on one shard either all are
 * answered from memory or all are asked for, so that no reply mixes what was read now with what was read
 * before, and an MSET is not seen half done. What was missing is fetched beside, if it is worth that.
 */
import { arrayHeader } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import type { NearCacheStats } from '../../stats/near-cache-stats.ts'
import type { Fragment } from '../../upstream/backend.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { CacheClient, ReadRequest, Way } from '../cache-client.ts'
import { NO_ENTRY } from '../memory/entries.ts'
import type { Prefix } from '../memory/prefixes.ts'
import { type Source, UNTRACKED } from '../tracking/source.ts'
import type { Sources } from '../tracking/sources.ts'
import { GetRequest } from './get-request.ts'
import { Passing } from './passing.ts'
import type { Keeping, SingleReads } from './single-reads.ts'

/** Which of a client's MGETs were sent to shards: the last one's ticket, and that of the one before. */
class Sent {
  last = NONE
  earlier = NONE
}

const NONE = -1

export class SeveralReads {
  readonly #keeping: Keeping
  readonly #sources: Sources
  readonly #single: SingleReads
  readonly #stats: NearCacheStats
  readonly #get = new GetRequest()
  readonly #sent = new WeakMap<CacheClient['session'], Sent>()
  /** Of the keys at hand: which arguments they are, their prefixes, what is kept, the numbers of their GETs. */
  readonly #arguments: number[] = []
  readonly #prefixes: (Prefix | undefined)[] = []
  readonly #found: number[] = []
  readonly #identities: number[] = []

  constructor(keeping: Keeping, sources: Sources, single: SingleReads, stats: NearCacheStats) {
    this.#keeping = keeping
    this.#sources = sources
    this.#single = single
    this.#stats = stats
  }

  /** Whether the MGET, all of whose keys are in one place, is taken care of. */
  read(client: CacheClient, request: ReadRequest, way: Way<Shard>): boolean {
    this.#arguments.length = 0
    for (let at = 1; at < request.argc; at++) this.#arguments.push(at)
    if (!this.#areNamed(request) || !way.admits) return false
    const { session } = client
    const ticket = session.open()
    const answer = this.#readAll(client, request, way, session, ticket, ticket)
    if (answer !== 'answered') way.send(request, answer ?? session, ticket)
    return true
  }

  /** As `Reads.readPart`, of an MGET. */
  readPart(
    client: CacheClient,
    fragment: Fragment,
    way: Way<Shard>,
    sink: ReplySink,
    ticket: number,
  ): ReplySink | 'answered' | undefined {
    const { request, groupOf, index, keyCount } = fragment
    this.#arguments.length = 0
    for (let key = fragment.firstKey; this.#arguments.length < keyCount; key++) {
      if (groupOf[key] === index) this.#arguments.push(key + 1)
    }
    if (!this.#areNamed(request)) return undefined
    return this.#readAll(client, request, way, sink, index, ticket)
  }

  /** Whether any of the keys may be kept; fills in the prefixes. */
  #areNamed({ bytes, offsets }: Request): boolean {
    const { prefixes } = this.#keeping
    let any = false
    this.#prefixes.length = 0
    for (const at of this.#arguments) {
      const prefix = prefixes.of(bytes, offsets[2 * at] as number, offsets[2 * at + 1] as number)
      this.#prefixes.push(prefix)
      any ||= prefix !== undefined
    }
    return any
  }

  #readAll(
    client: CacheClient,
    request: Request,
    way: Way<Shard>,
    sink: ReplySink,
    tag: number,
    ticket: number,
  ): ReplySink | 'answered' | undefined {
    const { session, lane } = client
    const { shard, changedAt } = way
    const connection = shard.connectionFor(lane, session.id)
    const source = this.#sources.of(shard, connection, lane.protocol)
    if (source.current() === UNTRACKED) {
      this.#stats.misses.untracked += this.#arguments.length
      return undefined
    }
    const found = this.#find(request, source, connection, changedAt)
    if (found === this.#arguments.length && !this.#isBehind(session, ticket)) {
      this.#answer(sink, tag)
      return 'answered'
    }
    this.#stats.misses.partial += found
    this.#goesPast(session, ticket)
    const identities = Int32Array.from(this.#identities)
    return new Passing(this.#keeping.entries, source.number, identities, sink)
  }

  /** Fills in what is kept of each key, and how many that are; what is missing is fetched. */
  #find(request: Request, source: Source, connection: ShardConnection, changedAt: number): number {
    const single = this.#single
    // If one of the keys may not be kept, nothing is gained by keeping the others.
    const mayBeWhole = !this.#prefixes.includes(undefined)
    let count = 0
    this.#found.length = 0
    this.#identities.length = 0
    for (let key = 0; key < this.#arguments.length; key++) {
      const prefix = this.#prefixes[key]
      this.#get.for(request, this.#arguments[key] as number)
      const entry = prefix === undefined ? NO_ENTRY : single.find(this.#get, source, changedAt)
      this.#found.push(entry)
      this.#identities.push(prefix === undefined ? 0 : single.identity)
      if (entry !== NO_ENTRY) count++
      else if (prefix !== undefined && mayBeWhole) {
        single.fetch(this.#get, source, prefix, connection)
      }
    }
    return count
  }

  #answer(sink: ReplySink, tag: number): void {
    const { entries } = this.#keeping
    const found = this.#found
    entries.handOut.begin(arrayHeader(found.length))
    for (let key = 0; key < found.length; key++) {
      const entry = found[key] as number
      this.#single.hit(entry, this.#prefixes[key] as Prefix)
      const [start, end] = [entries.replyStart(entry), entries.replyEnd(entry)]
      entries.handOut.give(start, end, sink, tag, key === found.length - 1)
    }
  }

  /**
   * Whether an earlier MGET of the client is on its way: its reply may be newer than what is kept, and must
   * not be followed by what is older.
   */
  #isBehind(session: CacheClient['session'], ticket: number): boolean {
    const sent = this.#sent.get(session)
    if (sent === undefined) return false
    const before = sent.last === ticket ? sent.earlier : sent.last
    return before !== NONE && session.owes(before)
  }

  #goesPast(session: CacheClient['session'], ticket: number): void {
    const sent = this.#sent.get(session) ?? new Sent()
    if (sent.last === ticket) return
    sent.earlier = sent.last
    sent.last = ticket
    this.#sent.set(session, sent)
  }
}
