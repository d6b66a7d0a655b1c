/** The metrics of several workers as those of one ambassador. */
import type { Family, Sample } from '../../admin/metrics/exposition.ts'

type Together = 'sum' | 'max' | 'min' | 'first'

/**
 * How the values of the workers become one, where that is not their sum. What each worker sees for itself of the
 * same thing (a failover, a replica's lag) counts once; a shard is up that is up for all.
 */
export const NOT_SUMMED: Readonly<Record<string, Exclude<Together, 'sum'>>> = {
  ambassador_build_info: 'first',
  ambassador_uptime_seconds: 'max',
  ambassador_ready: 'min',
  ambassador_draining: 'max',
  ambassador_config_reloads_total: 'max',
  ambassador_config_last_reload_successful: 'min',
  ambassador_clients_limit: 'first',
  ambassador_shard_up: 'min',
  ambassador_shard_moves_total: 'max',
  ambassador_shard_last_move_duration_seconds: 'max',
  ambassador_shard_replicas: 'max',
  ambassador_shard_replicas_serving: 'min',
  ambassador_shard_replica_lag_bytes: 'max',
  ambassador_shard_ring_share_ratio: 'first',
  ambassador_shard_credentials_age_seconds: 'max',
  ambassador_shard_credentials_remaining_seconds: 'min',
  ambassador_mirror_shards_up: 'min',
  ambassador_cluster_slots: 'first',
  ambassador_cluster_slots_uncovered: 'max',
  ambassador_cluster_config_epoch: 'max',
  ambassador_cluster_nodes_missing: 'max',
  ambassador_cluster_failovers_total: 'max',
  ambassador_cluster_failover_seconds_total: 'max',
  process_start_time_seconds: 'min',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
  nodejs_eventloop_lag_max_seconds: 'max',
}

/** Families of the same metrics in the same order; at least one part. */
export function sumFamilies(parts: readonly (readonly Family[])[]): Family[] {
  const [first = [], ...others] = parts
  return first.map((family, at) => {
    const together = NOT_SUMMED[family.name] ?? 'sum'
    const samples = others.flatMap((families) => families[at]?.samples ?? [])
    return { ...family, samples: combined(family.samples, samples, together) }
  })
}

/**
 * What stays of a worker that has died: its counts. A count that became less would look like a restart, and all
 * that the others have counted like news.
 */
export function countsOf(families: readonly Family[]): Family[] {
  return families.map((family) => {
    const isCount = family.type !== 'gauge' && NOT_SUMMED[family.name] === undefined
    return isCount ? family : { ...family, samples: [] }
  })
}

/** Of `counts` what is about shards that `living` still names, and what is about no shard. */
export function ofShardsIn(living: readonly Family[], counts: readonly Family[]): Family[] {
  const shards = new Set(
    living.flatMap(({ samples }) => samples.map(({ labels }) => labels?.['shard'])),
  )
  return counts.map((family) => {
    const samples = family.samples.filter(({ labels }) => shards.has(labels?.['shard']))
    return { ...family, samples }
  })
}

/** The samples of this family with these values in place of their own, in the same order. */
export function withValue(
  families: readonly Family[],
  name: string,
  values: readonly number[],
): Family[] {
  return families.map((family) => {
    if (family.name !== name) return family
    const samples = family.samples.map((sample, at) => ({ ...sample, value: values[at] ?? 0 }))
    return { ...family, samples }
  })
}

function combined(
  own: readonly Sample[],
  others: readonly Sample[],
  together: Together,
): readonly Sample[] {
  const byName = new Map(own.map((sample) => [nameOf(sample), sample]))
  for (const sample of others) {
    const name = nameOf(sample)
    const known = byName.get(name)
    const value = known === undefined ? sample.value : both(known.value, sample.value, together)
    byName.set(name, { ...sample, value })
  }
  return [...byName.values()]
}

function nameOf({ suffix, labels }: Sample): string {
  return JSON.stringify([suffix, labels])
}

function both(one: number, other: number, together: Together): number {
  switch (together) {
    case 'sum':
      return one + other
    case 'max':
      return Math.max(one, other)
    case 'min':
      return Math.min(one, other)
    case 'first':
      return one
  }
}
