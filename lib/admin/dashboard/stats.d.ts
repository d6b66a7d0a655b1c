/** What /stats, /events and their neighbours answer, for the type checker: the page's scripts are plain JavaScript. */

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface Sample {
  readonly at: string
  readonly requests: number
  readonly errors: number
  readonly p50Seconds: number
  readonly p99Seconds: number
}

export interface ShardStats {
  readonly name: string
  readonly address: string
  readonly state: string
  readonly inFlight: number
  readonly leases: number
  readonly topics: number
  readonly ringShare: number
  readonly requests: number
  readonly errors: Readonly<Record<string, number>>
  readonly window: {
    readonly requestsPerSecond: number
    readonly errorsPerSecond: number
    readonly p50Seconds: number
    readonly p99Seconds: number
  }
  readonly usedMemoryBytes: number | null
  readonly since: string
  readonly lastMove: { readonly at: string; readonly tookSeconds: number } | null
  readonly replicas:
    | readonly {
        readonly address: string
        readonly serves: boolean
        readonly reason: string | null
        readonly lagBytes: number | null
      }[]
    | null
}

export interface Cluster {
  readonly nodes: readonly {
    readonly address: string
    readonly slots: number
    readonly replicas: readonly string[]
  }[]
  readonly uncoveredSlots: number
  readonly missing: readonly string[]
  readonly redirects: Readonly<Record<string, number>>
  readonly resent: number
  readonly waiting: number
  readonly failovers: number
  readonly failoverSeconds: number
}

export interface Stats {
  /** null: shards are no Redis Cluster. */
  readonly cluster: Cluster | null
  readonly version: string
  readonly environment: { readonly name: string; readonly source: string }
  /** What was said of the configuration. */
  readonly notes: readonly string[]
  readonly startedAt: string
  readonly uptimeSeconds: number
  readonly ready: boolean
  readonly draining: boolean
  readonly clients: number
  readonly clientsMax: number
  readonly inFlight: number
  readonly requests: number
  readonly errors: Readonly<Record<string, number>>
  readonly window: {
    readonly requestsPerSecond: number
    readonly errorsPerSecond: number
    readonly latencySeconds: {
      readonly total: Percentiles
      readonly shard: Percentiles
      readonly own: Percentiles
    }
  }
  readonly history: readonly Sample[]
  readonly commands: readonly {
    readonly name: string
    readonly requests: number
    readonly errors: number
  }[]
  /** null: the near-cache is off. */
  readonly nearCache: {
    readonly hits: number
    readonly joined: number
    readonly misses: Readonly<Record<string, number>>
    readonly untracked: number
  } | null
  readonly shards: readonly ShardStats[]
  readonly process: {
    readonly residentBytes: number
    readonly lagSeconds: { readonly p50: number; readonly p99: number; readonly max: number }
  }
}

export interface RingPicture {
  readonly hash: string
  readonly distribution: string
  readonly hashTag: string
  readonly shards: readonly { readonly name: string; readonly share: number }[]
  /** Indices of shards at evenly spaced places; empty when keys decide nothing. */
  readonly owners: readonly number[]
}

export interface Route {
  readonly shard: string | null
  readonly address: string | null
  readonly state: string | null
  readonly hash: string
  readonly distribution: string
  readonly keyBytes: number
  readonly hashedFrom: number
  readonly hashedTo: number
  readonly hashValue: number | null
  readonly place: number | null
}

export interface SlowLog {
  readonly thresholdSeconds: number | null
  readonly entries: readonly {
    readonly id: number
    readonly at: string
    readonly command: string
    readonly key: string | null
    readonly shard: string | null
    readonly totalSeconds: number
    readonly shardSeconds: number
    readonly ending: string
  }[]
}

export interface HotKeys {
  readonly enabled: boolean
  readonly sampledRequests: number
  readonly keys: readonly {
    readonly key: string
    readonly shard: string | null
    readonly share: number
    readonly requestsPerSecond: number
  }[]
}

export interface Preflight {
  /** Without it nothing else is there. */
  readonly enabled: boolean
  readonly whatIf: string
  readonly requests: number
  readonly passed: number
  readonly split: number
  readonly combined: number
  readonly refused: number
  readonly undeclared: number
  readonly findings: readonly {
    readonly outcome: string
    readonly command: string
    readonly requests: number
    readonly why: string
    readonly help: string | null
    readonly patterns: readonly { readonly pattern: string }[]
  }[]
  readonly mirrors: readonly {
    readonly mirror: string
    readonly sent: number
    readonly errors: number
    readonly unanswered: number
  }[]
}

export interface BigReplies {
  readonly thresholdBytes: number | null
  readonly entries: readonly {
    readonly id: number
    readonly at: string
    readonly command: string
    readonly key: string | null
    readonly shard: string | null
    readonly bytes: number
    readonly times: number
  }[]
}
