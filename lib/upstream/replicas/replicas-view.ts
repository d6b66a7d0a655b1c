/** What people are told of a shard's replicas, where those are read from. */

export interface ReplicaView {
  /** `host:port` */
  readonly address: string
  /** It is read from. */
  readonly serves: boolean
  /** Why it is not; undefined while it is. */
  readonly ailment: string | undefined
  /** Bytes behind its master; undefined: not known. */
  readonly lagBytes: number | undefined
  /** Since when it serves, or does not; milliseconds since the epoch. */
  readonly sinceMs: number
}

export interface ReplicasView {
  readonly list: readonly ReplicaView[]
  /** How many are read from. */
  readonly serving: number
  /** Reads that replicas have answered. */
  readonly reads: number
  /** Requests that replicas have not answered. */
  readonly inFlight: number
}
