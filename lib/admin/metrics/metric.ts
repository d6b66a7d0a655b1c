/** One metric as a row of a list. Both /metrics and docs/metrics.md are made from the list. */
import type { Histogram } from '../../stats/histogram.ts'
import type { NearCacheState } from '../../stats/near-cache-stats.ts'
import type { PreflightReport } from '../../stats/preflight/rehearsal.ts'
import type { ClientQueues, ShardState, Snapshot } from '../pages/snapshot.ts'
import type { Family, Sample } from './exposition.ts'
import type { ProcessFigures } from './process-figures.ts'

/** The facts that metrics are read from, gathered once per scrape. */
export interface Scene {
  readonly snapshot: Snapshot
  readonly figures: ProcessFigures
  readonly queues: ClientQueues
  /** Undefined where the near-cache is off. */
  readonly nearCache: NearCacheState | undefined
  /** Undefined where nothing is rehearsed. */
  readonly preflight: PreflightReport | undefined
  /** Each shard's part of the ring, 0 to 1, in the order of the shards. */
  readonly shares: readonly number[]
}

export interface Metric {
  readonly name: string
  readonly type: Family['type']
  readonly help: string
  /** Names of the labels, `le` of histograms aside. */
  readonly labels: readonly string[]
  readonly read: (scene: Scene) => readonly Sample[]
}

/** A metric without labels. */
export function plain(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  read: (scene: Scene) => number,
): Metric {
  return { name, type, help, labels: [], read: (scene) => [{ value: read(scene) }] }
}

/** One number for each shard. */
export function perShard(
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  read: (shard: ShardState, index: number, scene: Scene) => number,
): Metric {
  return {
    name: `ambassador_shard_${name}`,
    type,
    help,
    labels: ['pool', 'shard'],
    read: (scene) => {
      return scene.snapshot.shards.map((shard, index) => {
        return { labels: shardLabels(shard), value: read(shard, index, scene) }
      })
    },
  }
}

/** The labels of a shard. Its name alone is unique over all pools. */
export function shardLabels({ pool, name }: ShardState): Record<string, string> {
  return { pool, shard: name }
}

/** `timedOut` as labels have it: `timed_out`. */
export function labelText(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/**
 * The samples of one histogram. The bounds must be bounds of the histogram's own buckets, so that
 * counts are exact.
 */
export function histogramSamples(
  histogram: Histogram,
  boundsSeconds: readonly number[],
  labels: Readonly<Record<string, string>> = {},
): Sample[] {
  const counts = histogram.countsBelow(boundsSeconds)
  const buckets = boundsSeconds.map((bound, at): Sample => {
    return {
      suffix: '_bucket',
      labels: { ...labels, le: String(bound) },
      value: counts[at] ?? 0,
    }
  })
  const { count, sumSeconds } = histogram
  return [
    ...buckets,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sumSeconds },
    { suffix: '_count', labels, value: count },
  ]
}

/** `count` bounds in seconds, each `factor` times the one before. */
export function bounds(firstMicros: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => (firstMicros * factor ** at) / 1e6)
}
