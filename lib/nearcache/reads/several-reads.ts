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
import type { CacheClient, ReadRequest, Way, Ways } from '../cache-client.ts'
import { NO_ENTRY } from '../memory/entries.ts'
import type { Prefix } from '../memory/prefixes.ts'
import { type Source, UNTRACKED } from '../tracking/source.ts'
import type { Sources } from '../tracking/sources.ts'
import { GetRequest } from './get-request.ts'
import { PassedKeys } from './passed-keys.ts'
import { Passing } from './passing.ts'
import type { Keeping, SingleReads } from './single-reads.ts'

/** There is room for so many keys before anybody has asked for more. */
const KEYS_MIN = 128

export class SeveralReads {
  readonly #keeping: Keeping
  readonly #sources: Sources
  readonly #single: SingleReads
  readonly #stats: NearCacheStats
  readonly #get = new GetRequest()
  readonly #passed = new WeakMap<CacheClient['session'], PassedKeys>()
  /** How many keys are at hand, and for each of them as many places at least: */
  #keys = 0
  /** which argument it is, */
  #arguments = new Int32Array(KEYS_MIN)
  /** the prefix that it has, */
  readonly #prefixes: (Prefix | undefined)[] = []
  /** what is kept of it, */
  #found = new Int32Array(KEYS_MIN)
  /** and the number of its GET, or 0 if nothing of it is kept or under way. */
  #identities = new Int32Array(KEYS_MIN)
  #areAllNamed = false
  /** By part of an MGET of several places: its source, and what `Way.changedAt` says. */
  readonly #partSources: Source[] = []
  readonly #partChanges: number[] = []

  constructor(keeping: Keeping, sources: Sources, single: SingleReads, stats: NearCacheStats) {
    this.#keeping = keeping
    this.#sources = sources
    this.#single = single
    this.#stats = stats
  }

  /** Whether the MGET, all of whose keys are in one place, is taken care of. */
  read(client: CacheClient, request: ReadRequest, way: Way<Shard>): boolean {
    this.#begin(request.argc - 1)
    for (let key = 0; key < this.#keys; key++) this.#arguments[key] = key + 1
    if (!this.#areNamed(request) || !way.admits) return false
    const { session } = client
    const ticket = session.open()
    const answer = this.#readAll(client, request, way, session, ticket, ticket)
    if (answer !== 'answered') way.send(request, answer ?? session, ticket)
    return true
  }

  /**
   * As `Reads.readWhole`, of an MGET. If a key is missing all are looked for again, part by part: that costs less
   * than to put an answer together from parts each time.
   */
  readWhole(client: CacheClient, request: ReadRequest, ways: Ways<Shard>): boolean {
    this.#begin(request.argc - 1)
    for (let key = 0; key < this.#keys; key++) this.#arguments[key] = key + 1
    if (!this.#areNamed(request) || !this.#areAllNamed) return false
    this.#get.for(request, 1)
    if (!this.#single.mayHaveGet(this.#get)) return false
    if (!this.#areTracked(client, ways)) return false
    for (let key = 0; key < this.#keys; key++) {
      const part = ways.partOf[key] as number
      this.#get.for(request, key + 1)
      const source = this.#partSources[part] as Source
      const entry = this.#single.peekGet(this.#get, source, this.#partChanges[part] as number)
      if (entry === NO_ENTRY) return false
      this.#found[key] = entry
      this.#identities[key] = this.#single.identity
    }
    if (this.#isBehind(client.session)) return false
    this.#answer(client.session, client.session.open())
    return true
  }

  /** Whether all places are tracked; fills in their sources. */
  #areTracked({ session, lane }: CacheClient, ways: Ways<Shard>): boolean {
    for (let part = 0; part < ways.parts; part++) {
      const { shard, changedAt } = ways.wayOf(part)
      const connection = shard.connectionFor(lane, session.id)
      const source = this.#sources.of(shard, connection, lane.protocol)
      if (source.current() === UNTRACKED) return false
      this.#partSources[part] = source
      this.#partChanges[part] = changedAt
    }
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
    this.#begin(keyCount)
    let found = 0
    for (let key = fragment.firstKey; found < keyCount; key++) {
      if (groupOf[key] === index) this.#arguments[found++] = key + 1
    }
    if (!this.#areNamed(request)) return undefined
    return this.#readAll(client, request, way, sink, index, ticket)
  }

  #begin(keys: number): void {
    this.#keys = keys
    if (keys <= this.#arguments.length) return
    this.#arguments = new Int32Array(2 * keys)
    this.#found = new Int32Array(2 * keys)
    this.#identities = new Int32Array(2 * keys)
  }

  /** Whether any of the keys may be kept; fills in the prefixes. */
  #areNamed({ bytes, offsets }: Request): boolean {
    const { prefixes } = this.#keeping
    let named = 0
    for (let key = 0; key < this.#keys; key++) {
      const at = 2 * (this.#arguments[key] as number)
      const prefix = prefixes.of(bytes, offsets[at] as number, offsets[at + 1] as number)
      this.#prefixes[key] = prefix
      if (prefix !== undefined) named++
    }
    this.#areAllNamed = named === this.#keys
    return named > 0
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
      this.#stats.misses.untracked += this.#keys
      return undefined
    }
    const found = this.#find(request, source, connection, changedAt)
    if (found === this.#keys && !this.#isBehind(session)) {
      this.#answer(sink, tag)
      return 'answered'
    }
    this.#stats.misses.partial += found
    // What is kept of other keys later is asked for later, and over the same connection: it is no older.
    if (!this.#goesPast(session, ticket)) return undefined
    const identities = this.#identities.slice(0, this.#keys)
    return new Passing(this.#keeping.entries, source.number, identities, sink)
  }

  /** Fills in what is kept of each key, and how many that are; what is missing is fetched. */
  #find(request: Request, source: Source, connection: ShardConnection, changedAt: number): number {
    const single = this.#single
    let count = 0
    for (let key = 0; key < this.#keys; key++) {
      const prefix = this.#prefixes[key]
      let entry = NO_ENTRY
      this.#identities[key] = 0
      if (prefix !== undefined) {
        this.#get.for(request, this.#arguments[key] as number)
        entry = single.findGet(this.#get, source, changedAt)
        // If one of the keys may not be kept, nothing is gained by keeping the others.
        if (entry !== NO_ENTRY) count++
        else if (this.#areAllNamed) single.fetch(this.#get, source, prefix, connection)
        if (single.mayBeKept) this.#identities[key] = single.identity
      }
      this.#found[key] = entry
    }
    return count
  }

  #answer(sink: ReplySink, tag: number): void {
    const { entries } = this.#keeping
    const keys = this.#keys
    entries.handOut.begin(arrayHeader(keys))
    for (let key = 0; key < keys; key++) {
      const entry = this.#found[key] as number
      this.#single.hit(entry, this.#prefixes[key] as Prefix)
      const [start, end] = [entries.replyStart(entry), entries.replyEnd(entry)]
      entries.handOut.give(start, end, sink, tag, key === keys - 1)
    }
  }

  /**
   * Whether an earlier MGET of the client for one of the keys is on its way: its reply may be newer than what is kept,
   * and must not be followed by what is older.
   */
  #isBehind(session: CacheClient['session']): boolean {
    const passed = this.#passed.get(session)
    return passed?.haveAnyOf(this.#identities, this.#keys, session) === true
  }

  /** Notes the keys that the MGET goes past. False: there are none. */
  #goesPast(session: CacheClient['session'], ticket: number): boolean {
    const identities = this.#identities
    let key = 0
    while (key < this.#keys && identities[key] === 0) key++
    if (key === this.#keys) return false
    let passed = this.#passed.get(session)
    if (passed === undefined) {
      passed = new PassedKeys()
      this.#passed.set(session, passed)
    }
    for (; key < this.#keys; key++) {
      const identity = identities[key] as number
      if (identity !== 0) passed.add(identity, ticket, session)
    }
    return true
  }
}
