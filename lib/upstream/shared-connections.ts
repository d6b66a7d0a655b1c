/**
 * The shared connections to one shard: `connectionsPerShard` for each lane, opened when the lane is
 * first used.
 */
import type { ShardConnection } from './connection/connection.ts'
import type { Lane } from './lane.ts'

export class SharedConnections {
  readonly #open: (lane: Lane) => ShardConnection
  #count: number
  readonly #lanes = new Map<number, Lane>()
  /** By lane id. */
  readonly #connections: (readonly ShardConnection[] | undefined)[] = []
  /** Surplus connections, until they have answered what they owe. */
  readonly #leaving = new Set<ShardConnection>()

  /** `open` makes one that does not connect yet; `count`: for each lane. */
  constructor(open: (lane: Lane) => ShardConnection, count: number) {
    this.#open = open
    this.#count = count
  }

  /** All of a lane, at least one. */
  of(lane: Lane): readonly ShardConnection[] {
    return this.#connections[lane.id] ?? this.#resize(lane)
  }

  get all(): readonly ShardConnection[] {
    for (const each of this.#leaving) if (each.state === 'closed') this.#leaving.delete(each)
    return [...this.#connections.flatMap((connections) => connections ?? []), ...this.#leaving]
  }

  /** From now on each lane has this number. No request that was sent is lost. */
  resize(count: number): void {
    if (count === this.#count) return
    this.#count = count
    for (const lane of this.#lanes.values()) this.#resize(lane)
  }

  closeLane({ id }: Lane): void {
    for (const connection of this.#connections[id] ?? []) connection.close()
    this.#connections[id] = undefined
    this.#lanes.delete(id)
  }

  close(): void {
    for (const connection of this.all) connection.close()
  }

  #resize(lane: Lane): readonly ShardConnection[] {
    const before = this.#connections[lane.id] ?? []
    const more = Array.from({ length: Math.max(0, this.#count - before.length) }, () => {
      return this.#open(lane)
    })
    const now = [...before.slice(0, this.#count), ...more]
    this.#connections[lane.id] = now
    this.#lanes.set(lane.id, lane)
    for (const connection of more) connection.connect()
    for (const connection of before.slice(this.#count)) this.#leave(connection)
    return now
  }

  /** Requests may wait for it to connect. */
  #leave(connection: ShardConnection): void {
    this.#leaving.add(connection)
    connection.onceSettled(() => connection.retire())
  }
}
