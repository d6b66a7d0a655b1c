/**
 * All clients of one entrance that wait for keys on several shards, and the watches over these shards. They
 * outlive a configuration, as the clients do.
 */
import { type Failure, OVERLOADED } from '../../../failures.ts'
import { placeOf } from '../../../routing/places.ts'
import type { Topology } from '../../../topology/topology.ts'
import type { Lane } from '../../../upstream/lane.ts'
import type { Shard } from '../../../upstream/shard.ts'
import { ShardWatch } from './shard-watch.ts'

/** One client's wait. */
export interface KeyWait {
  /** Of its client. */
  readonly database: number | undefined
  /** Where it waits for which key. */
  readonly keys: readonly { readonly shard: Shard; readonly name: Buffer }[]
  /** The key of this number has this shard now. */
  moved(at: number, to: Shard): void
}

export class KeyWaits {
  readonly #waits = new Set<KeyWait>()
  readonly #watches = new Map<Shard, Map<Lane, ShardWatch>>()

  watchOf(shard: Shard, lane: Lane): ShardWatch {
    const ofShard = this.#watches.get(shard) ?? new Map<Lane, ShardWatch>()
    this.#watches.set(shard, ofShard)
    const known = ofShard.get(lane)
    if (known !== undefined) return known
    const watch = new ShardWatch(shard, lane, () => {
      if (ofShard.get(lane) === watch) ofShard.delete(lane)
      if (ofShard.size === 0 && this.#watches.get(shard) === ofShard) this.#watches.delete(shard)
    })
    ofShard.set(lane, watch)
    return watch
  }

  /** Why nobody can wait for so many more keys there; undefined: it is worth a try. */
  refusalOf(shard: Shard, lane: Lane, keys: number): Failure | undefined {
    const watch = this.#watches.get(shard)?.get(lane)
    if (watch === undefined) return undefined
    return watch.refusal ?? (watch.isFullFor(keys) ? OVERLOADED : undefined)
  }

  add(wait: KeyWait): void {
    this.#waits.add(wait)
  }

  delete(wait: KeyWait): void {
    this.#waits.delete(wait)
  }

  /** `topologyOf`: where the keys of a database are from now on. */
  follow(topologyOf: (database: number | undefined) => Topology<Shard>): void {
    for (const wait of [...this.#waits]) {
      const topology = topologyOf(wait.database)
      for (const [at, { shard, name }] of [...wait.keys].entries()) {
        const now = topology.shardAt(placeOf(topology, name, 0, name.length))
        if (now !== shard && this.#waits.has(wait)) wait.moved(at, now)
      }
    }
  }

  /** The clients have gone. */
  close(): void {
    for (const ofShard of [...this.#watches.values()]) {
      for (const watch of [...ofShard.values()]) watch.close()
    }
  }
}
