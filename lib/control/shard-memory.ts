/**
 * How much memory the shards use, for whoever looks: asked of them in the background, seldom, and
 * never when nobody looks. What is told is what was last heard; waiting for a shard would make a page
 * about a shard that hangs hang as well.
 */
import { SHARD_MEMORY_ASKED_MAX, SHARD_MEMORY_MS } from '../limits.ts'

export interface ShardMemoryOptions {
  readonly shardCount: number
  /** Asks a shard; undefined when it does not tell. */
  readonly read: (shard: number, signal: AbortSignal) => Promise<number | undefined>
  /** Monotonic, milliseconds. */
  readonly now?: () => number
}

export class ShardMemory {
  readonly #options: ShardMemoryOptions
  readonly #now: () => number
  readonly #bytes: (number | undefined)[]
  readonly #stopped = new AbortController()
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking = false

  constructor(options: ShardMemoryOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#bytes = new Array<number | undefined>(options.shardCount).fill(undefined)
  }

  /** By shard, bytes; undefined: not known. Asks the shards again when that was long ago. */
  look(): readonly (number | undefined)[] {
    const due = this.#now() - this.#askedAtMs >= SHARD_MEMORY_MS
    if (due && !this.#asking && !this.#stopped.signal.aborted) void this.#ask()
    return this.#bytes
  }

  /** Asks no more, and breaks off what is under way. */
  stop(): void {
    this.#stopped.abort()
  }

  async #ask(): Promise<void> {
    this.#asking = true
    this.#askedAtMs = this.#now()
    const waiting = this.#bytes.keys()
    const askOneByOne = async (): Promise<void> => {
      for (const shard of waiting) this.#bytes[shard] = await this.#read(shard)
    }
    await Promise.all(Array.from({ length: SHARD_MEMORY_ASKED_MAX }, askOneByOne))
    this.#asking = false
  }

  async #read(shard: number): Promise<number | undefined> {
    const { signal } = this.#stopped
    try {
      return signal.aborted ? undefined : await this.#options.read(shard, signal)
    } catch {
      // It is down, or its user may not ask.
      return undefined
    }
  }
}
