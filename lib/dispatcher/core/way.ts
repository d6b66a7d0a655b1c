/** How the request at hand gets to the place of its keys, as far as the near-cache must know. */
import type { Way, Ways } from '../../nearcache/cache-client.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import type { KeyGroups } from '../../routing/key-groups.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Frame } from '../../upstream/backend.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from './client.ts'

const NO_KEYS = new Int32Array()

export class WayToPlace<T extends Pick<Shard, 'send'>> implements Way<T>, Ways<T> {
  readonly #topology: Topology<T>
  readonly #moving: MovingPlaces | undefined
  #client!: Client
  #place = 0
  #groups: KeyGroups | undefined

  constructor(topology: Topology<T>, moving: MovingPlaces | undefined) {
    this.#topology = topology
    this.#moving = moving
  }

  /** From now on it is the way of this client's request to the place. */
  of(client: Client, place: number): this {
    this.#client = client
    this.#place = place
    return this
  }

  /** From now on it is all ways of this client's request, whose keys are in these groups. */
  ofAll(client: Client, groups: KeyGroups): this {
    this.#client = client
    this.#groups = groups
    return this
  }

  /** Ways */
  get parts(): number {
    return this.#groups?.places.length ?? 0
  }

  /** Ways */
  get partOf(): Int32Array {
    return this.#groups?.groupOf ?? NO_KEYS
  }

  /** Ways */
  wayOf(part: number): this {
    this.#place = this.#groups?.places[part] as number
    return this
  }

  /** Way */
  get shard(): T {
    return this.#topology.shardAt(this.#place)
  }

  /** Way */
  get changedAt(): number {
    return this.#moving === undefined ? 0 : this.#moving.changedAt(this.#place)
  }

  /** Way */
  get admits(): boolean {
    return this.#moving === undefined || this.#moving.admits(this.#client.order, this.#place)
  }

  /** Way */
  entrust(frame: Frame, sink: ReplySink, ticket: number): ReplySink | undefined {
    if (this.#moving === undefined) return sink
    const { order, lane } = this.#client
    return this.#moving.entrust(order, lane, frame, this.#place, sink, ticket)
  }

  /** Way */
  send(frame: Frame, sink: ReplySink, ticket: number): void {
    const { order, lane, session } = this.#client
    if (this.#moving === undefined) this.shard.send(session.id, lane, frame, sink, ticket)
    else this.#moving.send(order, lane, frame, this.#place, sink, ticket)
  }
}
