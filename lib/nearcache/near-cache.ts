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
import type { NearCacheState, NearCacheStats } from '../stats/near-cache-stats.ts'
import { timerMs } from '../timer.ts'
import type { Fragment } from '../upstream/backend.ts'
import type { ReplySink } from '../upstream/reply-sink.ts'
import type { Shard } from '../upstream/shard.ts'
import type { Cache, CacheClient, ReadRequest, Way, Ways } from './cache-client.ts'
import { Entries } from './memory/entries.ts'
import { Prefixes } from './memory/prefixes.ts'
import { Sightings } from './memory/sightings.ts'
import type { NearCacheSettings } from './near-cache-settings.ts'
import { OwnWrites, type OwnWritesOwner } from './own-writes.ts'
import { SeveralReads } from './reads/several-reads.ts'
import { type Keeping, SingleReads } from './reads/single-reads.ts'
import { hasOneKey, READS, READS_SEVERAL, RowKinds } from './row-kinds.ts'
import type { SlotDoubts } from './tracking/ownership.ts'
import type { Source } from './tracking/source.ts'
import { Sources } from './tracking/sources.ts'
import { Touching } from './tracking/touching.ts'
import { Life, type Writer } from './writes.ts'

export interface NearCacheOptions {
  readonly settings: NearCacheSettings
  readonly turn: Turn
  readonly inHand: InHand
  readonly stats: NearCacheStats
  readonly logger: Logger
  /** Of the cluster that the shards are nodes of at this moment. */
  readonly slots: () => SlotDoubts | undefined
}

const MB = 1024 * 1024
/** Of this much of the memory one byte is for sightings. */
const BYTES_PER_SIGHTINGS_BYTE = 128
/** How often a sign of life is asked for within `nearCacheStaleMs`. */
const SIGNS_OF_LIFE = 4

export class NearCache implements Cache<Shard>, OwnWritesOwner {
  readonly #keeping: Keeping
  readonly #turn: Turn
  readonly #stats: NearCacheStats
  readonly #logger: Logger
  readonly #kinds = new RowKinds()
  readonly #ownWrites = new OwnWrites(this.#kinds, this)
  readonly #sources: Sources
  readonly #single: SingleReads
  readonly #several: SeveralReads
  readonly #touching: Touching
  #timer: NodeJS.Timeout

  constructor({ settings, turn, inHand, stats, logger, slots }: NearCacheOptions) {
    this.#turn = turn
    this.#stats = stats
    this.#logger = logger
    this.#keeping = {
      settings,
      prefixes: new Prefixes(settings.nearCacheKeys, turn.now()),
      ...memoryOf(settings.nearCacheMb * MB),
    }
    this.#sources = new Sources({
      now: () => turn.now(),
      stats,
      logger,
      slots,
      changed: (keyHash, from) => this.#changed(keyHash, from),
    })
    const { writes } = this.#ownWrites
    this.#single = new SingleReads(this.#keeping, this.#sources, writes, { turn, inHand, stats })
    this.#several = new SeveralReads(this.#keeping, this.#sources, this.#single, stats)
    this.#touching = new Touching(this.#keeping, this.#sources, turn, stats)
    this.#timer = this.#startTimer()
  }

  /**
   * Goes on with other settings; what is kept is forgotten. `busy`: clients whose requests it has not been
   * told of, or not of all, as long as those are under way.
   */
  configure(settings: NearCacheSettings, busy: Iterable<Writer>): void {
    const keeping = this.#keeping
    const before = keeping.settings
    keeping.settings = settings
    if (JSON.stringify(before) === JSON.stringify(settings)) return
    keeping.prefixes = new Prefixes(settings.nearCacheKeys, this.#turn.now())
    if (settings.nearCacheMb !== before.nearCacheMb) {
      Object.assign(keeping, memoryOf(settings.nearCacheMb * MB))
    }
    this.clear()
    this.waitFor(busy)
    clearInterval(this.#timer)
    this.#timer = this.#startTimer()
    this.#touching.restart()
  }

  /** Keeps nothing before these clients have the replies to all that they have asked for so far. */
  waitFor(busy: Iterable<Writer>): void {
    for (const writer of busy) this.#ownWrites.writes.addAnything(new Life(writer))
  }

  clear(): void {
    this.#sources.renumberAll('cleared')
    this.#keeping.entries.clear()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#touching.close()
    this.#sources.close()
  }

  get state(): NearCacheState {
    this.#ownWrites.writes.settle()
    const { count: entries, liveBytes: bytes, evictions } = this.#keeping.entries
    return {
      ...{ entries, bytes, evictions, ...this.#sources.standing },
      memoryBytes: this.#keeping.settings.nearCacheMb * MB,
      flights: this.#single.flights.count,
      writing: this.#ownWrites.writes.count,
      confirmedAges: this.#sources.confirmedAges(),
      prefixes: this.#keeping.prefixes.all,
    }
  }

  /** Cache */
  about(client: Writer, request: Request, row: CommandRow): void {
    this.#ownWrites.about(client, request, row)
  }

  /** Reads */
  read(client: CacheClient, request: ReadRequest, row: CommandRow, way: Way<Shard>): boolean {
    if (client.mode !== undefined) return false
    switch (this.#kinds.of(row)) {
      case READS:
        return hasOneKey(row, request.argc) && this.#single.read(client, request, way)
      case READS_SEVERAL:
        return this.#several.read(client, request, way)
      default:
        return false
    }
  }

  /** Reads */
  readWhole(
    client: CacheClient,
    request: ReadRequest,
    row: CommandRow,
    ways: Ways<Shard>,
  ): boolean {
    if (client.mode !== undefined || this.#kinds.of(row) !== READS_SEVERAL) return false
    return this.#several.readWhole(client, request, ways)
  }

  /** Reads */
  readPart(
    client: CacheClient,
    fragment: Fragment,
    row: CommandRow,
    way: Way<Shard>,
    sink: ReplySink,
    ticket: number,
  ): ReplySink | 'answered' | undefined {
    if (client.mode !== undefined || this.#kinds.of(row) !== READS_SEVERAL) return undefined
    return this.#several.readPart(client, fragment, way, sink, ticket)
  }

  #changed(keyHash: number, from: Source | undefined): void {
    this.#stats.invalidations.shard += this.#keeping.entries.removeKey(keyHash)
    this.#single.flights.changed(keyHash, from)
  }

  /** OwnWritesOwner */
  get scriptsDeclareKeys(): boolean {
    return this.#keeping.settings.nearCacheScripts === 'declared'
  }

  /** OwnWritesOwner */
  mayKeep(bytes: Buffer, start: number, end: number): boolean {
    return this.#keeping.prefixes.of(bytes, start, end) !== undefined
  }

  /** OwnWritesOwner */
  writesKey(keyHash: number): void {
    this.#stats.invalidations.ownWrite += this.#keeping.entries.removeKey(keyHash)
    this.#single.flights.writes(keyHash)
  }

  /** OwnWritesOwner */
  writesAnything(): void {
    this.#sources.renumberAll('anyKey')
    this.#single.flights.poisonAll('ownWrite')
  }

  #startTimer(): NodeJS.Timeout {
    const everyMs = this.#keeping.settings.nearCacheStaleMs / SIGNS_OF_LIFE
    return setInterval(() => this.#look(everyMs), timerMs(everyMs))
  }

  #look(everyMs: number): void {
    const nowMs = this.#turn.now()
    this.#sources.refresh(nowMs - everyMs / 2)
    for (const { text } of this.#keeping.prefixes.judge(nowMs)) {
      this.#logger.info(
        { prefix: text },
        'more is kept than asked for again, not kept for a minute',
      )
    }
  }
}

/** Makes the entries and the sightings, within `bytes` of memory. */
function memoryOf(bytes: number): Pick<Keeping, 'entries' | 'sightings'> {
  const forSightings = 2 ** Math.floor(Math.log2(bytes / BYTES_PER_SIGHTINGS_BYTE))
  const entries = new Entries(bytes - forSightings)
  return { entries, sightings: new Sightings(forSightings) }
}
