/** What pages and metrics show about a Redis Cluster. */

/** The state of a Redis Cluster, and counts since the start. Addresses are `host:port`. */
export interface ClusterState {
  /** Masters that own slots. */
  readonly nodes: readonly ClusterNodeState[]
  readonly uncoveredSlots: number
  /** The highest config epoch that a node has told. */
  readonly epoch: number
  /** Nodes that are known and do not answer. */
  readonly missing: readonly string[]
  /** Refusals of nodes, by their codes: MOVED, ASK, ... */
  readonly redirects: Readonly<Record<string, number>>
  /** Requests that were sent again. */
  readonly resent: number
  /** Requests that wait now for the owners of their slots. */
  readonly waiting: number
  /** How often a request had to wait, and for how many seconds all together. */
  readonly held: number
  readonly heldSeconds: number
  /** Looks at the map, by cause. */
  readonly refreshes: Readonly<Record<string, number>>
  readonly failovers: number
  readonly failoverSeconds: number
}

export interface ClusterNodeState {
  readonly id: string
  readonly address: string
  readonly replicas: readonly string[]
  readonly slots: number
}
