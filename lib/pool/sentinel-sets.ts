/**
 * The sentinels that shards are found through: one set for each list, shared by all its shards, also
 * across reloads.
 */
import type { PoolConfig, SentinelConfig } from '../config/config.ts'
import { Sentinels } from '../control/sentinel/sentinels.ts'
import type { Logger } from '../logger.ts'
import { sentinelAddressOf, tlsKeyOf } from '../shard-address.ts'

export class SentinelSets {
  readonly #sets = new Map<string, Sentinels>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get all(): readonly Sentinels[] {
    return [...this.#sets.values()]
  }

  for({ addresses }: SentinelConfig, config: PoolConfig): Sentinels {
    const { sentinelUsername: username, sentinelPassword: password } = config
    const tls = addresses.some((address) => address.tls)
    // Holds a password and must never be shown.
    const key = JSON.stringify([addresses, username, password, tls && tlsKeyOf(config)])
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    const sentinels = new Sentinels({
      addresses: addresses.map(({ host, port }) => ({ host, port: `${port}` })),
      username,
      password,
      // Sentinels name each other without a word about TLS: all of a set speak it, or none.
      dialled: (address) => sentinelAddressOf(address, tls ? config : undefined),
      logger: this.#logger,
      onUnused: () => this.#sets.delete(key),
    })
    this.#sets.set(key, sentinels)
    return sentinels
  }
}
