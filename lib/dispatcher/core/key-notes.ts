/** Tells the lookout of the keys that requests name, from their plans. */
import type { Request } from '../../resp/request.ts'
import type { Plan } from '../../routing/plan.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import { NO_KEY } from '../../stats/lookout/shown-key.ts'
import type { Topology } from '../../topology/topology.ts'

export class KeyNotes {
  readonly #topology: Topology<{ readonly name: string }>
  readonly #plan: Plan
  readonly #lookout: Lookout

  /** `plan`: of the request that was located last. */
  constructor(topology: Topology<{ readonly name: string }>, plan: Plan, lookout: Lookout) {
    this.#topology = topology
    this.#plan = plan
    this.#lookout = lookout
  }

  /** Of several keys the first stands for all; each may be one of those that are counted. */
  tellOf(request: Request): void {
    const topology = this.#topology
    const plan = this.#plan
    const lookout = this.#lookout
    const { bytes, offsets } = request
    const start = offsets[2 * plan.firstKey] as number
    const end = offsets[2 * plan.firstKey + 1] as number
    if (lookout.inHand.keyHash === NO_KEY) lookout.isAbout(plan.firstHash, bytes, start, end)
    if (!lookout.countsKeys) return
    if (plan.keyCount > 1) this.#sampleKeys(request)
    else if (lookout.isSample()) {
      lookout.countKey(plan.firstHash, bytes, start, end, topology.shardAt(plan.place).name)
    }
  }

  #sampleKeys({ bytes, offsets }: Request): void {
    const { keys, keyCount, groups } = this.#plan
    const topology = this.#topology
    const lookout = this.#lookout
    for (let key = 0; key < keyCount; key++) {
      if (!lookout.isSample()) continue
      const argument = keys.positions[key] as number
      const start = offsets[2 * argument] as number
      const end = offsets[2 * argument + 1] as number
      const place = groups.places[groups.groupOf[key] as number] as number
      const { name } = topology.shardAt(place)
      lookout.countKey(topology.hashOf(bytes, start, end), bytes, start, end, name)
    }
  }

  /** Says that what is sent next is about this key, which has this hash. */
  isAbout({ bytes, offsets }: Request, argument: number, hash: number): void {
    const start = offsets[2 * argument] as number
    const end = offsets[2 * argument + 1] as number
    this.#lookout.isAbout(hash, bytes, start, end)
  }
}
