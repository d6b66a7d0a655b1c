/**
 * The credentials that expire: one keeper for each program or file, shared by all its shards, also
 * across reloads.
 */
import type { PoolConfig } from '../config/config.ts'
import { Keeper } from '../credentials/keeper.ts'
import { type LoginPlace, sourceFor } from '../credentials/shard-source.ts'
import type { Logger } from '../logger.ts'

export interface KeepersOptions {
  readonly logger: Logger
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

export class Keepers {
  readonly #options: KeepersOptions
  readonly #keepers = new Map<string, Keeper>()

  constructor(options: KeepersOptions) {
    this.#options = options
  }

  get all(): readonly Keeper[] {
    return [...this.#keepers.values()]
  }

  /** Undefined where the shard has a password of its own, or no program or file is configured. */
  for(shard: LoginPlace, config: PoolConfig): Keeper | undefined {
    const source = sourceFor(shard, config)
    if (source === undefined) return undefined
    const { username } = shard
    const { shardAuthLifeMs: lifeMs } = config
    const key = JSON.stringify([source.id, username, lifeMs])
    const known = this.#keepers.get(key)
    if (known !== undefined) return known
    const keeper = new Keeper({ source, username, lifeMs, ...this.#options })
    this.#keepers.set(key, keeper)
    return keeper
  }

  /** Closes all others. */
  keepOnly(used: ReadonlySet<Keeper | undefined>): void {
    for (const [key, keeper] of this.#keepers) {
      if (used.has(keeper)) continue
      keeper.close()
      this.#keepers.delete(key)
    }
  }
}
