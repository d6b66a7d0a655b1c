/**
 * How much memory the shards use. They are asked in the background, seldom, and only while somebody looks.
 * A page shows the last answer: if it waited for a shard that hangs, the page would hang as well.
 */
import { SHARD_MEMORY_ASKED_MAX, SHARD_MEMORY_MS } from '../limits.ts'

/** A shard that can be asked how much memory it uses. */
export interface Weighed {
  /** Undefined when it does not tell. */
  readUsedMemory(signal: AbortSignal): Promise<number | undefined>
}

export class ShardMemory {
  readonly #now: () => number
  /** In the order of the configuration. */
  #bytes = new Map<Weighed, number | undefined>()
  #stopped = new AbortController()
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking = false

  /** `now`: monotonic, milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** From now on these are the shards. What is known of those that stay is kept. */
  follow(shards: readonly Weighed[]): void {
    const before = this.#bytes
    const isSame = before.size === shards.length && shards.every((shard) => before.has(shard))
    this.#bytes = new Map(shards.map((shard) => [shard, before.get(shard)]))
    if (isSame) return
    this.#stopped.abort()
    this.#stopped = new AbortController()
    this.#askedAtMs = Number.NEGATIVE_INFINITY
    this.#asking = false
  }

  /**
   * The bytes of each shard; undefined: not known. Asks the shards again when the last question is
   * old.
   */
  look(): readonly (number | undefined)[] {
    const due = this.#now() - this.#askedAtMs >= SHARD_MEMORY_MS
    if (due && !this.#asking) void this.#ask(this.#stopped.signal)
    return [...this.#bytes.values()]
  }

  async #ask(signal: AbortSignal): Promise<void> {
    this.#asking = true
    this.#askedAtMs = this.#now()
    const waiting = this.#bytes.keys()
    const askOneByOne = async (): Promise<void> => {
      for (const shard of waiting) {
        const bytes = await readFrom(shard, signal)
        if (!signal.aborted) this.#bytes.set(shard, bytes)
      }
    }
    await Promise.all(Array.from({ length: SHARD_MEMORY_ASKED_MAX }, askOneByOne))
    if (!signal.aborted) this.#asking = false
  }
}

async function readFrom(shard: Weighed, signal: AbortSignal): Promise<number | undefined> {
  try {
    return signal.aborted ? undefined : await shard.readUsedMemory(signal)
  } catch {
    // The shard is down, or its user may not ask.
    return undefined
  }
}
