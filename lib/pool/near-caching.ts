/**
 * The near-caches of the pools whose configuration wants one. They outlive reloads: what clients write across one must be
 * known, and what is kept stays good.
 */
import type { PoolConfig } from '../config/config.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { Cache } from '../nearcache/cache-client.ts'
import { Caches } from '../nearcache/caches.ts'
import { NearCache } from '../nearcache/near-cache.ts'
import type { NearCacheSettings } from '../nearcache/near-cache-settings.ts'
import type { SlotDoubts } from '../nearcache/tracking/ownership.ts'
import type { Writer } from '../nearcache/writes.ts'
import type { Stats } from '../stats/stats.ts'
import type { Shard } from '../upstream/shard.ts'

export interface NearCachingOptions {
  readonly turn: Turn
  readonly stats: Stats
  readonly logger: Logger
  /** Clients that have something under way. */
  readonly busy: () => Iterable<Writer>
  /** Of the cluster that the pool is at this moment. */
  readonly slotsOf: (pool: string) => SlotDoubts | undefined
}

export class NearCaching {
  readonly #options: NearCachingOptions
  readonly #byPool = new Map<string, NearCache>()
  #cache: Cache<Shard> | undefined

  constructor(options: NearCachingOptions) {
    this.#options = options
  }

  /** Of all pools; undefined: nothing is kept. */
  get cache(): Cache<Shard> | undefined {
    return this.#cache
  }

  configure(pools: readonly PoolConfig[]): void {
    const wanted = new Map(pools.map((pool) => [pool.name, settingsOf(pool)]))
    for (const name of this.#byPool.keys()) if (wanted.get(name) === undefined) this.#close(name)
    for (const [name, settings] of wanted) if (settings !== undefined) this.#open(name, settings)
    const [first] = this.#byPool.values()
    // With one pool there is no need to look up the pool.
    const isAlone = pools.length === 1 || first === undefined
    this.#cache = isAlone ? first : new Caches(this.#byPool)
  }

  close(): void {
    for (const name of this.#byPool.keys()) this.#close(name)
    this.#cache = undefined
  }

  #open(name: string, settings: NearCacheSettings): void {
    const { turn, stats, logger, busy, slotsOf } = this.#options
    const known = this.#byPool.get(name)
    if (known !== undefined) {
      known.configure(settings, busy())
      return
    }
    const { inHand, nearCache } = stats
    const slots = () => slotsOf(name)
    const cache = new NearCache({ settings, turn, inHand, stats: nearCache, logger, slots })
    // The new cache does not know what these clients are writing.
    cache.waitFor(busy())
    this.#byPool.set(name, cache)
  }

  #close(name: string): void {
    this.#byPool.get(name)?.close()
    this.#byPool.delete(name)
  }
}

/** Undefined: none. Between a replica and what the master has announced a client could go back in time. */
function settingsOf(config: PoolConfig): NearCacheSettings | undefined {
  const { nearCacheKeys, nearCacheMb, nearCacheStaleMs, nearCacheMaxAgeMs } = config
  const { nearCacheEntryBytes, nearCacheTouchMs, nearCacheTtl, nearCacheScripts } = config
  if (nearCacheKeys === undefined || config.readFrom !== 'master') return undefined
  return {
    ...{ nearCacheKeys, nearCacheMb, nearCacheStaleMs, nearCacheMaxAgeMs },
    ...{ nearCacheEntryBytes, nearCacheTouchMs, nearCacheTtl, nearCacheScripts },
  }
}
