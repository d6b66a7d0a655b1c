/** What one shard is asked about itself, as those who ask see it: by its name, not by how to reach it. */
import { readShardFacts, readUsedMemory, type ShardFacts } from './control.ts'
import type { ControlOptions, RedisAddress } from './ioredis.ts'

export class ShardControl {
  readonly name: string
  readonly #address: RedisAddress
  readonly #options: ControlOptions

  constructor(name: string, address: RedisAddress, options: ControlOptions) {
    this.name = name
    this.#address = address
    this.#options = options
  }

  /** Rejects like the function of this name. */
  readFacts(signal: AbortSignal): Promise<ShardFacts> {
    return readShardFacts(this.#address, this.#options, signal)
  }

  /** Rejects like the function of this name. */
  readUsedMemory(signal: AbortSignal): Promise<number | undefined> {
    return readUsedMemory(this.#address, this.#options, signal)
  }
}
