/** The caches of several pools as one: all are told of every request, and the shard's pool has the read. */
import type { CommandRow } from '../commands/row.ts'
import type { Request } from '../resp/request.ts'
import type { NearCacheState } from '../stats/near-cache-stats.ts'
import type { Fragment } from '../upstream/backend.ts'
import type { ReplySink } from '../upstream/reply-sink.ts'
import type { Shard } from '../upstream/shard.ts'
import type { Cache, CacheClient, ReadRequest, Way, Ways } from './cache-client.ts'
import type { Writer } from './writes.ts'

export class Caches implements Cache<Shard> {
  readonly #all: readonly Cache<Shard>[]
  readonly #byPool: ReadonlyMap<string, Cache<Shard>>

  constructor(byPool: ReadonlyMap<string, Cache<Shard>>) {
    this.#byPool = new Map(byPool)
    this.#all = [...byPool.values()]
  }

  /** Cache: a script, say, may write keys of any of them. */
  about(client: Writer, request: Request, row: CommandRow): void {
    for (let i = 0; i < this.#all.length; i++) this.#all[i]?.about(client, request, row)
  }

  /** Reads */
  read(client: CacheClient, request: ReadRequest, row: CommandRow, way: Way<Shard>): boolean {
    return this.#byPool.get(way.shard.pool)?.read(client, request, row, way) ?? false
  }

  /** Reads: of keys in the shards of one pool. */
  readWhole(
    client: CacheClient,
    request: ReadRequest,
    row: CommandRow,
    ways: Ways<Shard>,
  ): boolean {
    const { pool } = ways.wayOf(0).shard
    for (let part = 1; part < ways.parts; part++) {
      if (ways.wayOf(part).shard.pool !== pool) return false
    }
    return this.#byPool.get(pool)?.readWhole(client, request, row, ways) ?? false
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
    return this.#byPool.get(way.shard.pool)?.readPart(client, fragment, row, way, sink, ticket)
  }

  clear(): void {
    for (const cache of this.#all) cache.clear()
  }

  get state(): NearCacheState {
    return this.#all.map(({ state }) => state).reduce(sumOf)
  }
}

function sumOf(one: NearCacheState, other: NearCacheState): NearCacheState {
  const ages = new Map(one.confirmedAges)
  for (const [shard, ms] of other.confirmedAges) ages.set(shard, Math.max(ms, ages.get(shard) ?? 0))
  return {
    entries: one.entries + other.entries,
    bytes: one.bytes + other.bytes,
    memoryBytes: one.memoryBytes + other.memoryBytes,
    evictions: one.evictions + other.evictions,
    connections: one.connections + other.connections,
    untracked: one.untracked + other.untracked,
    flights: one.flights + other.flights,
    writing: one.writing + other.writing,
    confirmedAges: ages,
    prefixes: prefixesOf([...one.prefixes, ...other.prefixes]),
  }
}

/** Each text once: pools may have the same. */
function prefixesOf(all: NearCacheState['prefixes']): NearCacheState['prefixes'] {
  const byText = new Map<string, NearCacheState['prefixes'][number]>()
  for (const { text, hits, fills } of all) {
    const known = byText.get(text) ?? { hits: 0, fills: 0 }
    byText.set(text, { text, hits: hits + known.hits, fills: fills + known.fills })
  }
  return [...byText.values()]
}
