/**
 * The near-cache, if the configuration wants one. It outlives reloads: what clients write across one must be
 * known, and what is kept stays good.
 */
import type { PoolConfig } from '../config/config.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { Reads } from '../nearcache/cache-client.ts'
import { NearCache } from '../nearcache/near-cache.ts'
import type { NearCacheSettings } from '../nearcache/near-cache-settings.ts'
import type { Writer } from '../nearcache/writes.ts'
import type { Stats } from '../stats/stats.ts'
import type { Shard } from '../upstream/shard.ts'

export interface NearCachingOptions {
  readonly turn: Turn
  readonly stats: Stats
  readonly logger: Logger
  /** Clients that have something under way. */
  readonly busy: () => Iterable<Writer>
}

export class NearCaching {
  readonly #options: NearCachingOptions
  #cache: NearCache | undefined

  constructor(options: NearCachingOptions) {
    this.#options = options
  }

  /** Undefined: nothing is kept. */
  get cache(): NearCache | undefined {
    return this.#cache
  }

  /** Who may have a client's reads. Keys of further pools are not kept: each would have rules of its own. */
  readsOf(pools: readonly PoolConfig[]): Reads<Shard> | undefined {
    const cache = this.#cache
    if (cache === undefined || pools.length === 1) return cache
    return {
      read: (client, request, row, shard) => {
        return shard.pool === DEFAULT_POOL && cache.read(client, request, row, shard)
      },
      readPart: (client, fragment, row, shard, sink, ticket) => {
        if (shard.pool !== DEFAULT_POOL) return undefined
        return cache.readPart(client, fragment, row, shard, sink, ticket)
      },
    }
  }

  configure(config: PoolConfig): void {
    const { turn, stats, logger, busy } = this.#options
    const settings = settingsOf(config)
    if (settings === undefined) {
      this.close()
    } else if (this.#cache === undefined) {
      const { inHand, nearCache } = stats
      this.#cache = new NearCache({ settings, turn, inHand, stats: nearCache, logger })
      // Nobody has told it what they are writing.
      this.#cache.waitFor(busy())
    } else {
      this.#cache.configure(settings, busy())
    }
  }

  close(): void {
    this.#cache?.close()
    this.#cache = undefined
  }
}

/**
 * Undefined: none. In a cluster keys go from node to node, which flights do not follow; and between a replica
 * and what the master has announced a client could go back in time.
 */
function settingsOf(config: PoolConfig): NearCacheSettings | undefined {
  const { nearCacheKeys, nearCacheMb, nearCacheStaleMs, nearCacheMaxAgeMs } = config
  const { nearCacheEntryBytes, nearCacheTtl, nearCacheScripts } = config
  if (nearCacheKeys === undefined || config.cluster !== undefined) return undefined
  if (config.readFrom !== 'master') return undefined
  return {
    ...{ nearCacheKeys, nearCacheMb, nearCacheStaleMs, nearCacheMaxAgeMs },
    ...{ nearCacheEntryBytes, nearCacheTtl, nearCacheScripts },
  }
}
