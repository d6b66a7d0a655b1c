/**
 * A ring that leaves out shards which fail, as twemproxy's `auto_eject_hosts` does: after `ejectAfterFailures`
 * failures in a row a shard is ejected, its keys go to the others, and after a while it comes back. Unlike
 * twemproxy we ask first whether it answers. Keys that were written elsewhere meanwhile are then stale or
 * missing: this is for caches, and off by default.
 */
import type { Explanation, Placement } from '../routing/placement/placement.ts'
import { timerMs } from '../timer.ts'
import type { Topology, TopologyView } from './topology.ts'

/**
 * The record of one shard. It belongs to the shard, and the next ring over it goes on from here.
 */
export interface Standing {
  /** In a row. */
  failures: number
  /** When the shard, which is ejected, is to be asked whether it is back; undefined: it is not ejected. */
  askAtMs: number | undefined
}

export function inGoodStanding(): Standing {
  return { failures: 0, askAtMs: undefined }
}

export interface EjectingOptions<S> {
  readonly shards: readonly S[]
  /** By shard. */
  readonly standings: readonly Standing[]
  /** The ring over these shards, by index, in this order. */
  readonly ringOf: (live: readonly number[]) => Placement
  /** Failures in a row after which a shard is ejected. */
  readonly failureLimit: number
  /** How long it stays out before it is asked, milliseconds. */
  readonly retryMs: number
  /** Whether the shard answers. */
  readonly probe: (shard: S) => Promise<boolean>
  /** Keys have another shard from now on. */
  readonly onChange: (shard: S, ejected: boolean) => void
  /** Monotonic, milliseconds. */
  readonly now?: () => number
}

/** Each shard is one place, and keeps its number while it is ejected. */
export class Ejecting<S> implements Topology<S>, TopologyView {
  readonly #options: EjectingOptions<S>
  readonly #now: () => number
  readonly #timers = new Map<number, NodeJS.Timeout>()
  #live: readonly number[]
  #ring: Placement

  /** Shards that were ejected before stay so until they answer. */
  constructor(options: EjectingOptions<S>) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    const { standings } = options
    // A ring needs a shard, even one that fails.
    const allOut = standings.every(({ askAtMs }) => askAtMs !== undefined)
    if (allOut) for (const standing of standings) standing.askAtMs = undefined
    this.#live = [...standings.keys()].filter((shard) => !this.#isEjected(shard))
    this.#ring = options.ringOf(this.#live)
    for (const shard of standings.keys()) if (this.#isEjected(shard)) this.#wait(shard)
  }

  get placeCount(): number {
    return this.#options.shards.length
  }

  /** Shards that have keys, in ascending order. */
  get live(): readonly number[] {
    return this.#live
  }

  get view(): TopologyView {
    return this
  }

  shardAt(place: number): S {
    return this.#options.shards[place] as S
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#ring.hashOf(bytes, start, end)
  }

  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#live[this.#ring.placeOf(bytes, start, end, hash)] as number
  }

  get keylessPlace(): number {
    return this.#live[this.#ring.keylessPlace] as number
  }

  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    const at = this.#ring.placeOfPattern(bytes, start, end)
    return at === undefined ? undefined : this.#live[at]
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
    const standing = this.#standing(shard)
    standing.failures = answered ? 1 : standing.failures + 1
    const due = standing.failures >= this.#options.failureLimit
    // A ring needs a shard, even one that fails.
    if (due && this.#live.length > 1) this.#eject(shard)
  }

  /** Ends all waiting. Ejected shards stay ejected. */
  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  #standing(shard: number): Standing {
    return this.#options.standings[shard] as Standing
  }

  #isEjected(shard: number): boolean {
    return this.#standing(shard).askAtMs !== undefined
  }

  #eject(shard: number): void {
    this.#standing(shard).askAtMs = this.#now() + this.#options.retryMs
    this.#change(this.#live.filter((each) => each !== shard))
    this.#wait(shard)
    this.#options.onChange(this.shardAt(shard), true)
  }

  /** Asks the shard when that is due, and at the latest after the time that is configured now. */
  #wait(shard: number): void {
    const { retryMs } = this.#options
    const dueMs = (this.#standing(shard).askAtMs ?? 0) - this.#now()
    const timer = setTimeout(() => void this.#retry(shard), timerMs(Math.min(dueMs, retryMs)))
    timer.unref()
    this.#timers.set(shard, timer)
  }

  async #retry(shard: number): Promise<void> {
    const answers = await this.#options.probe(this.shardAt(shard))
    if (!this.#timers.delete(shard)) return
    const standing = this.#standing(shard)
    if (!answers) {
      standing.askAtMs = this.#now() + this.#options.retryMs
      this.#wait(shard)
      return
    }
    standing.askAtMs = undefined
    standing.failures = 0
    this.#change([...this.#live, shard].sort((a, b) => a - b))
    this.#options.onChange(this.shardAt(shard), false)
  }

  #change(live: readonly number[]): void {
    this.#live = live
    this.#ring = this.#options.ringOf(live)
  }
}
