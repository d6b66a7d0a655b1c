/**
 * A ring that leaves out shards which fail, as twemproxy's `auto_eject_hosts` does: after so many
 * failures in a row a shard is ejected, its keys go to the others, and after a while it comes back.
 * Unlike twemproxy we ask it first. Keys that were written elsewhere meanwhile are stale or missing
 * then: this is for caches, and off by default.
 */
import type { Explanation } from '../routing/placement/placement.ts'
import { timerMs } from '../timer.ts'
import type { Topology } from './topology.ts'

/** A topology over some of the shards. */
type Ring = Topology

export interface EjectingOptions {
  /** By name, for the ring and for `onChange`. */
  readonly shards: readonly string[]
  /** The ring over these shards, by index, in this order. */
  readonly ringOf: (live: readonly number[]) => Ring
  /** Failures in a row after which a shard is ejected. */
  readonly failureLimit: number
  /** How long it stays out before it is asked, milliseconds. */
  readonly retryMs: number
  /** Whether the shard answers. */
  readonly probe: (shard: number) => Promise<boolean>
  /** Keys have another shard from now on. */
  readonly onChange: (shard: number, ejected: boolean) => void
}

export class Ejecting implements Topology {
  readonly #options: EjectingOptions
  readonly #failures: number[]
  readonly #timers = new Map<number, NodeJS.Timeout>()
  #live: readonly number[]
  #ring: Ring

  constructor(options: EjectingOptions) {
    this.#options = options
    this.#failures = options.shards.map(() => 0)
    this.#live = [...options.shards.keys()]
    this.#ring = options.ringOf(this.#live)
  }

  get shardCount(): number {
    return this.#options.shards.length
  }

  shardOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#live[this.#ring.shardOf(bytes, start, end)] as number
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#ring.hashOf(bytes, start, end)
  }

  ownerOf(hash: number): number {
    return this.#live[this.#ring.ownerOf(hash)] as number
  }

  shardOfPattern(bytes: Uint8Array, start: number, end: number): number {
    return this.#live[this.#ring.shardOfPattern(bytes, start, end)] ?? -1
  }

  explain(key: Uint8Array): Explanation {
    const explanation = this.#ring.explain(key)
    const { shard } = explanation
    return { ...explanation, shard: shard === undefined ? undefined : this.#live[shard] }
  }

  /** An ejected shard has none. */
  shares(): number[] {
    const shares = this.#options.shards.map(() => 0)
    for (const [at, share] of this.#ring.shares().entries()) {
      shares[this.#live[at] as number] = share
    }
    return shares
  }

  ownersAlong(count: number): number[] {
    return this.#ring.ownersAlong(count).map((at) => this.#live[at] as number)
  }

  /** A connection to the shard failed, or a request timed out. `answered`: it has answered since the last time. */
  failed(shard: number, answered: boolean): void {
    if (!this.#live.includes(shard)) return
    this.#failures[shard] = answered ? 1 : (this.#failures[shard] as number) + 1
    const due = (this.#failures[shard] as number) >= this.#options.failureLimit
    // A ring needs a shard, even one that fails.
    if (due && this.#live.length > 1) this.#eject(shard)
  }

  /** Ends all waiting. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #eject(shard: number): void {
    this.#change(this.#live.filter((each) => each !== shard))
    this.#wait(shard)
    this.#options.onChange(shard, true)
  }

  #wait(shard: number): void {
    const timer = setTimeout(() => void this.#retry(shard), timerMs(this.#options.retryMs))
    timer.unref()
    this.#timers.set(shard, timer)
  }

  async #retry(shard: number): Promise<void> {
    const answers = await this.#options.probe(shard)
    if (!this.#timers.delete(shard)) return
    if (!answers) {
      this.#wait(shard)
      return
    }
    this.#failures[shard] = 0
    this.#change([...this.#live, shard].sort((a, b) => a - b))
    this.#options.onChange(shard, false)
  }

  #change(live: readonly number[]): void {
    this.#live = live
    this.#ring = this.#options.ringOf(live)
  }
}
