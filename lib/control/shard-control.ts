/** Asks one shard about itself. The caller need not know how the shard is reached. */
import { readShardFacts, readUsedMemory, type ShardFacts } from './control.ts'
import type { ControlOptions, RedisAddress } from './ioredis.ts'

export class ShardControl {
  readonly name: string
  readonly inCluster: boolean
  readonly #address: () => RedisAddress | undefined
  #options: () => ControlOptions

  /**
   * `address`: where the shard's server is now; undefined while that is not known. `options`: how to ask
   * it, looked at again with each question. `inCluster`: it is meant to be a node of a Redis Cluster.
   */
  constructor(
    name: string,
    address: () => RedisAddress | undefined,
    options: () => ControlOptions,
    inCluster = false,
  ) {
    this.name = name
    this.inCluster = inCluster
    this.#address = address
    this.#options = options
  }

  /** From now on questions are asked with these options. */
  configure(options: () => ControlOptions): void {
    this.#options = options
  }

  /** Rejects like the function of this name, and while nobody knows where the server is. */
  async readFacts(signal: AbortSignal): Promise<ShardFacts> {
    return readShardFacts(this.#known(), this.#options(), signal)
  }

  /** Rejects like the function of this name, and while nobody knows where the server is. */
  async readUsedMemory(signal: AbortSignal): Promise<number | undefined> {
    return readUsedMemory(this.#known(), this.#options(), signal)
  }

  #known(): RedisAddress {
    const address = this.#address()
    if (address === undefined) throw new Error('its server is not known')
    return address
  }
}
