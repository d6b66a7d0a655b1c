/** Reads of one key: answered from memory, or let fly to be kept, or left to go the usual way. */
import type { Turn } from '../../io/turn.ts'
import type { Request } from '../../resp/request.ts'
import { UNKNOWN_COMMAND } from '../../stats/command-counts.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { Miss, NearCacheStats, Poison } from '../../stats/near-cache-stats.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { CacheClient, ReadRequest, Way } from '../cache-client.ts'
import { type Entries, NO_ENTRY } from '../memory/entries.ts'
import { hashBytes, mix } from '../memory/hash.ts'
import type { Prefix, Prefixes } from '../memory/prefixes.ts'
import type { Sightings } from '../memory/sightings.ts'
import type { NearCacheSettings } from '../near-cache-settings.ts'
import { type Source, UNTRACKED } from '../tracking/source.ts'
import type { Sources } from '../tracking/sources.ts'
import type { Writes } from '../writes.ts'
import type { Flight, FlightOwner } from './flight.ts'
import { Flights } from './flights.ts'
import type { GetRequest } from './get-request.ts'
import { nameNumber } from './name-number.ts'
import { takeOff } from './take-off.ts'

/** What is kept, and by which rules; a reload changes it. */
export interface Keeping {
  settings: NearCacheSettings
  prefixes: Prefixes
  entries: Entries
  sightings: Sightings
}

export interface Surroundings {
  readonly turn: Turn
  readonly inHand: InHand
  readonly stats: NearCacheStats
}

/** No turn lasts so long that is not a stall. */
const SOON_MS = 100
const NO_HEAD = Buffer.alloc(0)
/** One hit in this number counts as a sighting. A power of two. */
const HITS_PER_SIGHTING = 8

export class SingleReads implements FlightOwner {
  readonly flights = new Flights(this)
  /** The numbers of the request looked up last: of its key, and of all of it. */
  keyHash = 0
  identity = 0
  readonly #keeping: Keeping
  readonly #sources: Sources
  readonly #writes: Writes
  readonly #turn: Turn
  readonly #inHand: InHand
  readonly #stats: NearCacheStats

  constructor(
    keeping: Keeping,
    sources: Sources,
    writes: Writes,
    { turn, inHand, stats }: Surroundings,
  ) {
    this.#keeping = keeping
    this.#sources = sources
    this.#writes = writes
    this.#turn = turn
    this.#inHand = inHand
    this.#stats = stats
  }

  /** Whether the read of its first argument is taken care of. */
  read({ session, lane }: CacheClient, request: ReadRequest, way: Way<Shard>): boolean {
    const { bytes, offsets } = request
    const { prefixes } = this.#keeping
    const prefix = prefixes.of(bytes, offsets[2] as number, offsets[3] as number)
    if (prefix === undefined) return false
    this.#number(request, way.changedAt)
    if (this.#isNew(way)) return this.#missed('absent')
    const { shard } = way
    const connection = shard.connectionFor(lane, session.id)
    const source = this.#sources.of(shard, connection, lane.protocol)
    if (source.current() === UNTRACKED) return this.#missed('untracked')
    const entry = this.#usable(NO_HEAD, bytes, request.frameStart, request.frameEnd, source)
    if (entry !== NO_ENTRY) {
      this.hit(entry, prefix)
      this.#answer(session, entry)
      return true
    }
    if (!way.admits) return false
    const known = this.#flightOf(request, source)
    const mayGo = known === undefined ? this.#mayFly(prefix) : this.#mayJoin(known)
    if (!mayGo) return false
    const ticket = session.open()
    const sink = way.entrust(request, session, ticket)
    if (sink === undefined) return true
    const flight = known ?? this.#begin(request, source, prefix)
    flight.join(sink, ticket)
    if (known === undefined) this.#fly(flight, request, connection)
    return true
  }

  /** Whether there may be something of the key looked up last, or something is under way. Hardly ever wrong. */
  get mayBeKept(): boolean {
    return this.#keeping.entries.mayHave(this.keyHash) || this.flights.has(this.keyHash)
  }

  /**
   * Whether the request looked up last is the first of its kind for long. So it is with most reads of keys that are
   * read seldom: all that they pay for is to be found out here.
   */
  #isNew({ admits }: Way<Shard>): boolean {
    if (this.mayBeKept) return false
    // One that is not admitted is sent later, and is then not asked for again.
    if (!admits || this.#keeping.entries.doorkeeper.knows(this.identity)) return false
    this.#stats.notAdmitted++
    return true
  }

  /** Fills in the numbers of the request. `changedAt`: as `Way` has it. */
  #number({ bytes, offsets, frameEnd }: Request, changedAt: number): void {
    const [keyStart, keyEnd] = [offsets[2] as number, offsets[3] as number]
    this.#numbers(bytes, keyStart, keyEnd, frameEnd, nameNumber(bytes, offsets), changedAt)
  }

  /**
   * The entry that answers the GET, which need not have been made, or NO_ENTRY; then the miss is counted.
   * `changedAt`: as `Way` has it; what was read of the place before that is not found any more.
   */
  findGet(get: GetRequest, source: Source, changedAt: number): number {
    const { head, offsets, mget, keyStart, keyEnd, tailStart, tailEnd } = get
    this.#numbers(mget, keyStart, keyEnd, tailEnd, nameNumber(head, offsets), changedAt)
    return this.#usable(head, mget, tailStart, tailEnd, source)
  }

  /** Whether there may be an entry of the key of the GET. */
  mayHaveGet({ mget, keyStart, keyEnd }: GetRequest): boolean {
    return this.#keeping.entries.mayHave(hashBytes(mget, keyStart, keyEnd))
  }

  /** As `findGet`, and a miss is not counted: the same GET will be looked for again. */
  peekGet(get: GetRequest, source: Source, changedAt: number): number {
    const { head, offsets, mget, keyStart, keyEnd, tailStart, tailEnd } = get
    this.#numbers(mget, keyStart, keyEnd, tailEnd, nameNumber(head, offsets), changedAt)
    const entry = this.#entryOf(head, mget, tailStart, tailEnd, source)
    return entry === NO_ENTRY || this.#whyNot(entry, source) !== undefined ? NO_ENTRY : entry
  }

  /** Fills in the numbers of the request of this name whose key is `bytes[keyStart, keyEnd)`. */
  #numbers(
    bytes: Buffer,
    keyStart: number,
    keyEnd: number,
    end: number,
    name: number,
    changedAt: number,
  ): void {
    this.keyHash = hashBytes(bytes, keyStart, keyEnd)
    const identity = hashBytes(bytes, keyEnd, end, this.keyHash) ^ name
    this.identity = changedAt === 0 ? identity : mix(identity, changedAt)
  }

  #usable(head: Buffer, bytes: Buffer, start: number, end: number, source: Source): number {
    const { entries } = this.#keeping
    const entry = this.#entryOf(head, bytes, start, end, source)
    if (entry === NO_ENTRY) {
      this.#missed('absent')
      return NO_ENTRY
    }
    const miss = this.#whyNot(entry, source)
    if (miss === undefined) return entry
    entries.remove(entry)
    this.#stats.misses[miss]++
    return NO_ENTRY
  }

  /** The entry for the request looked up last, which may be used or not. */
  #entryOf(head: Buffer, bytes: Buffer, start: number, end: number, source: Source): number {
    const { entries } = this.#keeping
    if (!entries.mayHave(this.keyHash)) return NO_ENTRY
    return entries.find(this.identity, source.number, bytes, start, end, head)
  }

  /** The entry answers a client. */
  hit(entry: number, prefix: Prefix): void {
    const { entries } = this.#keeping
    entries.hit(entry)
    prefix.hits++
    this.#stats.hits++
    if (this.#stats.hits % HITS_PER_SIGHTING === 0)
      this.#keeping.sightings.see(entries.identity(entry))
  }

  /** Lets the request looked up last fly if it may, so that its reply is kept; it is no client's. */
  fetch(get: GetRequest, source: Source, prefix: Prefix, connection: ShardConnection): void {
    const mayFlyAlready = this.flights.has(this.keyHash)
    if (mayFlyAlready && this.#flightOf(get.make(), source) !== undefined) return
    if (!this.#mayFly(prefix)) return
    const request = get.make()
    const inHand = this.#inHand
    const { command } = inHand
    inHand.command = UNKNOWN_COMMAND
    this.#fly(this.#begin(request, source, prefix), request, connection)
    inHand.command = command
  }

  /** FlightOwner */
  landed(flight: Flight): void {
    const { plan } = flight
    if (plan === undefined) return
    if (!flight.isTracked) flight.poison('lost')
    const isGood = !flight.isPoisoned && plan.source.current() === flight.number
    if (isGood && flight.expiresMs > this.#turn.now()) {
      const { identity, keyHash, prefix } = plan
      const { number, expiresMs, frame, replyCopy } = flight
      this.#keeping.entries.put(identity, keyHash, number, expiresMs, frame, replyCopy)
      this.#stats.fills++
      prefix.fills++
    }
    this.flights.remove(plan.keyHash, flight)
  }

  /** FlightOwner */
  poisoned(by: Poison): void {
    this.#stats.poisoned[by]++
  }

  /** Why the entry may not be used; undefined: it may. */
  #whyNot(entry: number, source: Source): Miss | undefined {
    const { entries, settings } = this.#keeping
    const expiresMs = entries.expiresMs(entry)
    const staleMs = source.confirmedMs + settings.nearCacheStaleMs
    const endsMs = expiresMs < staleMs ? expiresMs : staleMs
    let nowMs = this.#turn.now()
    // A turn may last: what ends soon may have ended since it began.
    if (endsMs - nowMs < SOON_MS) nowMs = this.#turn.readClock()
    if (nowMs < endsMs) return undefined
    return nowMs >= expiresMs ? 'expired' : 'unconfirmed'
  }

  #answer(session: CacheClient['session'], entry: number): void {
    const { entries } = this.#keeping
    const ticket = session.open()
    const [start, end] = [entries.replyStart(entry), entries.replyEnd(entry)]
    entries.handOut.give(start, end, session, ticket, true)
  }

  #flightOf({ bytes, frameStart, frameEnd }: Request, source: Source): Flight | undefined {
    const { keyHash, identity } = this
    return this.flights.find(keyHash, identity, source, bytes, frameStart, frameEnd)
  }

  /** A request that cannot share its reply may get a newer one, which an older one must not follow. */
  #mayJoin(flight: Flight): boolean {
    const isRecent = this.#turn.now() - flight.sentMs < this.#keeping.settings.nearCacheStaleMs
    if (!flight.isJoinable || !isRecent) {
      flight.poison('passed')
      return false
    }
    this.#stats.joined++
    return true
  }

  /** What is asked for again, and oftener than what would have to make room for it. */
  #mayFly(prefix: Prefix): boolean {
    if (this.#writes.isBeingWritten(this.keyHash)) return this.#missed('writing')
    const isAdmitted =
      this.#keeping.entries.doorkeeper.knows(this.identity) && this.#isWorthIt(prefix)
    if (!isAdmitted) this.#stats.notAdmitted++
    return isAdmitted
  }

  #isWorthIt(prefix: Prefix): boolean {
    const { entries, sightings } = this.#keeping
    const seen = sightings.see(this.identity)
    const { victim } = entries
    if (victim !== undefined && seen < sightings.count(victim)) return false
    return this.#turn.now() >= prefix.suspendedUntilMs
  }

  #missed(why: Miss): false {
    this.#stats.misses[why]++
    return false
  }

  #begin(request: Request, source: Source, prefix: Prefix): Flight {
    const { keyHash, identity } = this
    const { nearCacheEntryBytes, nearCacheMaxAgeMs, nearCacheTtl } = this.#keeping.settings
    const asksExpiry = nearCacheTtl === 'ask'
    const limits = { bytesMax: nearCacheEntryBytes, maxAgeMs: nearCacheMaxAgeMs, asksExpiry }
    const flight = this.flights.take()
    const sentMs = this.#turn.now()
    flight.begin({ identity, keyHash, source, prefix, sentMs, ...limits }, request)
    return flight
  }

  #fly(flight: Flight, request: Request, connection: ShardConnection): void {
    const asksExpiry = this.#keeping.settings.nearCacheTtl === 'ask'
    this.flights.add(this.keyHash, flight)
    takeOff(flight, request, connection, this.#inHand, asksExpiry)
  }
}
