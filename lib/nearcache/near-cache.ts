/**
 * Reads answered from memory. It stands where every request passes on its way from a client to the shards:
 * it is told of each before anything of it is sent, so that it knows what this ambassador's clients write,
 * and it is asked whether it has the reply to a read, or wants to keep it.
 *
 *      about(write) ─▶ removes what is kept of the key; poisons flights; no flight until the reply is out
 *      read ─▶ hit: answered at once
 *           ─▶ miss, asked for before: a flight ─▶ kept when it lands unpoisoned
 *           ─▶ any other miss: goes the usual way
 *      announcement of the shard ─▶ removes what is kept of the key; poisons flights
 *
 * docs/near-cache.md says what is promised, and why it holds.
 */
import type { CommandRow } from '../commands/row.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { Request } from '../resp/request.ts'
import type { InHand } from '../stats/in-hand.ts'
import type { Miss, NearCacheState, NearCacheStats, Poison } from '../stats/near-cache-stats.ts'
import { timerMs } from '../timer.ts'
import type { ShardConnection } from '../upstream/connection/connection.ts'
import type { Shard } from '../upstream/shard.ts'
import type { CacheClient } from './cache-client.ts'
import type { Flight, FlightOwner } from './flight.ts'
import { Flights } from './flights.ts'
import { Entries, NO_ENTRY } from './memory/entries.ts'
import { hashBytes, mix } from './memory/hash.ts'
import { type Prefix, Prefixes } from './memory/prefixes.ts'
import { Sketch } from './memory/sketch.ts'
import type { NearCacheSettings } from './near-cache-settings.ts'
import { OwnWrites, type OwnWritesOwner } from './own-writes.ts'
import { hasOneKey, READS, RowKinds } from './row-kinds.ts'
import { takeOff } from './take-off.ts'
import { type Source, UNTRACKED } from './tracking/source.ts'
import { Sources } from './tracking/sources.ts'
import { Life, type Writer } from './writes.ts'

export interface NearCacheOptions {
  readonly settings: NearCacheSettings
  readonly turn: Turn
  readonly inHand: InHand
  readonly stats: NearCacheStats
  readonly logger: Logger
}

const MB = 1024 * 1024
/** No turn lasts so long that is not a stall. */
const SOON_MS = 100
/** Signs of life are asked for so many times within the time that an entry may go without one. */
const SIGNS_OF_LIFE = 4

export class NearCache implements FlightOwner, OwnWritesOwner {
  #settings: NearCacheSettings
  #prefixes: Prefixes
  #entries: Entries
  readonly #turn: Turn
  readonly #inHand: InHand
  readonly #stats: NearCacheStats
  readonly #logger: Logger
  readonly #kinds = new RowKinds()
  readonly #sketch = new Sketch()
  readonly #ownWrites = new OwnWrites(this.#kinds, this)
  readonly #flights: Flights
  readonly #sources: Sources
  #timer: NodeJS.Timeout

  constructor({ settings, turn, inHand, stats, logger }: NearCacheOptions) {
    this.#settings = settings
    this.#turn = turn
    this.#inHand = inHand
    this.#stats = stats
    this.#logger = logger
    this.#prefixes = new Prefixes(settings.nearCacheKeys, turn.now())
    this.#entries = new Entries(settings.nearCacheMb * MB)
    this.#flights = new Flights(this)
    this.#sources = new Sources({
      now: () => turn.now(),
      stats,
      logger,
      changed: (keyHash, from) => this.#changed(keyHash, from),
    })
    this.#timer = this.#startTimer()
  }

  /**
   * Goes on with other settings; what is kept is forgotten. `busy`: clients whose requests it has not been
   * told of, or not of all, as long as those are under way.
   */
  configure(settings: NearCacheSettings, busy: Iterable<Writer>): void {
    const before = this.#settings
    this.#settings = settings
    if (JSON.stringify(before) === JSON.stringify(settings)) return
    this.#prefixes = new Prefixes(settings.nearCacheKeys, this.#turn.now())
    if (settings.nearCacheMb !== before.nearCacheMb) {
      this.#entries = new Entries(settings.nearCacheMb * MB)
    }
    this.clear()
    this.waitFor(busy)
    clearInterval(this.#timer)
    this.#timer = this.#startTimer()
  }

  /** Keeps nothing before these clients have the replies to all that they have asked for so far. */
  waitFor(busy: Iterable<Writer>): void {
    for (const writer of busy) this.#ownWrites.writes.addAnything(new Life(writer))
  }

  clear(): void {
    this.#sources.renumberAll('cleared')
    this.#entries.clear()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#sources.close()
  }

  get state(): NearCacheState {
    this.#ownWrites.writes.settle()
    const { count: entries, liveBytes: bytes, evictions } = this.#entries
    return {
      ...{ entries, bytes, evictions, ...this.#sources.standing },
      memoryBytes: this.#settings.nearCacheMb * MB,
      flights: this.#flights.count,
      writing: this.#ownWrites.writes.count,
      confirmedAges: this.#sources.confirmedAges(),
      prefixes: this.#prefixes.all,
    }
  }

  /** A request of the client is about to be dealt with, in whatever way. */
  about(client: Writer, request: Request, row: CommandRow): void {
    this.#ownWrites.about(client, request, row)
  }

  /** Whether the read, of a key on the shard, is taken care of. */
  read(client: CacheClient, request: Request, row: CommandRow, shard: Shard): boolean {
    if (this.#kinds.of(row) !== READS || client.mode !== undefined) return false
    if (!hasOneKey(row, request.argc)) return false
    const { bytes, offsets, frameStart, frameEnd } = request
    const keyStart = offsets[2] as number
    const keyEnd = offsets[3] as number
    const prefix = this.#prefixes.of(bytes, keyStart, keyEnd)
    if (prefix === undefined) return false
    const { session, lane } = client
    const connection = shard.connectionFor(lane, session.id)
    const source = this.#sources.of(shard, connection, lane.protocol)
    const number = source.current()
    if (number === UNTRACKED) return this.#missed('untracked')
    const keyHash = hashBytes(bytes, keyStart, keyEnd)
    const identity = hashBytes(bytes, keyEnd, frameEnd, keyHash) ^ row.id
    const hash = mix(identity, number)
    const entry = this.#entries.find(hash, number, bytes, frameStart, frameEnd)
    if (entry !== NO_ENTRY) {
      const miss = this.#whyNot(entry, source)
      if (miss === undefined) {
        this.#hit(session, entry, prefix)
        return true
      }
      this.#entries.remove(entry)
      this.#stats.misses[miss]++
    }
    const flight = this.#flights.find(keyHash, source, bytes, frameStart, frameEnd)
    if (flight !== undefined) return this.#join(flight, session)
    if (entry === NO_ENTRY) this.#stats.misses.absent++
    if (!this.#mayFly(keyHash, identity, prefix)) return false
    this.#fly(session, request, { hash, keyHash, source, prefix }, connection)
    return true
  }

  /** FlightOwner */
  landed(flight: Flight): void {
    const { plan } = flight
    if (plan === undefined) return
    if (!flight.isTracked) flight.poison('lost')
    const isGood = !flight.isPoisoned && plan.source.current() === flight.number
    if (isGood && flight.expiresMs > this.#turn.now()) {
      const { hash, keyHash, prefix } = plan
      const { number, expiresMs, frame, replyCopy } = flight
      this.#entries.put(hash, keyHash, number, expiresMs, frame, replyCopy)
      this.#stats.fills++
      prefix.fills++
    }
    this.#flights.remove(plan.keyHash, flight)
  }

  /** FlightOwner */
  poisoned(by: Poison): void {
    this.#stats.poisoned[by]++
  }

  /** Why the entry may not be used; undefined: it may. */
  #whyNot(entry: number, source: Source): Miss | undefined {
    const expiresMs = this.#entries.expiresMs(entry)
    const staleMs = source.confirmedMs + this.#settings.nearCacheStaleMs
    const endsMs = expiresMs < staleMs ? expiresMs : staleMs
    let nowMs = this.#turn.now()
    // A turn may last: what ends soon may have ended since it began.
    if (endsMs - nowMs < SOON_MS) nowMs = this.#turn.readClock()
    if (nowMs < endsMs) return undefined
    return nowMs >= expiresMs ? 'expired' : 'unconfirmed'
  }

  #hit(session: CacheClient['session'], entry: number, prefix: Prefix): void {
    const entries = this.#entries
    entries.hit(entry)
    this.#stats.hits++
    prefix.hits++
    const ticket = session.open()
    const { arena } = entries
    session.reply(ticket, arena, entries.replyStart(entry), entries.replyEnd(entry), true)
  }

  /** A request that cannot share its reply may get a newer one, which an older one must not follow. */
  #join(flight: Flight, session: CacheClient['session']): boolean {
    const isRecent = this.#turn.now() - flight.sentMs < this.#settings.nearCacheStaleMs
    if (!flight.isJoinable || !isRecent) {
      flight.poison('passed')
      return this.#missed('absent')
    }
    this.#stats.joined++
    flight.join(session, session.open())
    return true
  }

  #mayFly(keyHash: number, identity: number, prefix: Prefix): boolean {
    if (this.#ownWrites.writes.isBeingWritten(keyHash)) return this.#missed('writing')
    const isAdmitted = this.#sketch.see(identity) > 0 && this.#turn.now() >= prefix.suspendedUntilMs
    if (!isAdmitted) this.#stats.notAdmitted++
    return isAdmitted
  }

  #missed(why: Miss): false {
    this.#stats.misses[why]++
    return false
  }

  #fly(
    session: CacheClient['session'],
    request: Request,
    what: Pick<Flight['plan'] & object, 'hash' | 'keyHash' | 'source' | 'prefix'>,
    connection: ShardConnection,
  ): void {
    const { nearCacheEntryBytes, nearCacheMaxAgeMs, nearCacheTtl } = this.#settings
    const asksExpiry = nearCacheTtl === 'ask'
    const limits = { bytesMax: nearCacheEntryBytes, maxAgeMs: nearCacheMaxAgeMs, asksExpiry }
    const flight = this.#flights.take()
    flight.begin({ ...what, ...limits, sentMs: this.#turn.now() }, request)
    flight.join(session, session.open())
    this.#flights.add(what.keyHash, flight)
    takeOff(flight, request, connection, this.#inHand, asksExpiry)
  }

  #changed(keyHash: number, from: Source | undefined): void {
    this.#stats.invalidations.shard += this.#entries.removeKey(keyHash)
    this.#flights.changed(keyHash, from)
  }

  /** OwnWritesOwner */
  get scriptsDeclareKeys(): boolean {
    return this.#settings.nearCacheScripts === 'declared'
  }

  /** OwnWritesOwner */
  mayKeep(bytes: Buffer, start: number, end: number): boolean {
    return this.#prefixes.of(bytes, start, end) !== undefined
  }

  /** OwnWritesOwner */
  writesKey(keyHash: number): void {
    this.#stats.invalidations.ownWrite += this.#entries.removeKey(keyHash)
    this.#flights.writes(keyHash)
  }

  /** OwnWritesOwner */
  writesAnything(): void {
    this.#sources.renumberAll('anyKey')
    this.#flights.poisonAll('ownWrite')
  }

  #startTimer(): NodeJS.Timeout {
    const everyMs = this.#settings.nearCacheStaleMs / SIGNS_OF_LIFE
    return setInterval(() => this.#look(everyMs), timerMs(everyMs))
  }

  #look(everyMs: number): void {
    const nowMs = this.#turn.now()
    this.#sources.refresh(nowMs - everyMs / 2)
    for (const { text } of this.#prefixes.judge(nowMs)) {
      this.#logger.info(
        { prefix: text },
        'more is kept than asked for again, not kept for a minute',
      )
    }
  }
}
