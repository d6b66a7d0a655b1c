/** What is wrong, or worth a note, about options that depend on whether the shards are a Redis Cluster. */
import { type OptionName, optionOf, type Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import type { ClusterConfig } from '../values/types.ts'

/** Options without effect in a cluster: slots are CRC16 with `{}` tags, and masters own them. */
const OF_A_RING = [
  'hash',
  'distribution',
  'hashTag',
  'byteSign',
  'ejectShards',
] as const satisfies readonly OptionName[]

const OF_A_CLUSTER = ['topologyRefreshMs', 'addressMap'] as const satisfies readonly OptionName[]

/** Adds to the findings. `sources`: by option, what has set it. */
export function checkCluster(
  settings: Settings,
  cluster: ClusterConfig | undefined,
  sources: Readonly<Record<string, string>>,
  { problems, notes }: Findings,
): void {
  if (cluster === undefined) {
    const unused = OF_A_CLUSTER.filter((option) => !isDefault(settings, option))
    if (unused.length === 0) return
    notes.push(`${unused.join(' and ')} not used: shards are no redis+cluster://`)
    return
  }
  for (const option of OF_A_RING) {
    if (isDefault(settings, option)) continue
    problems.push(
      `${sources[option]}: ${option} is for a ring of shards, and they are a Redis Cluster`,
    )
  }
  const { shardAuthCommand, shardAuthFile } = settings
  const needsPassword = shardAuthCommand === undefined && shardAuthFile === undefined
  if (needsPassword && cluster.username !== undefined && cluster.password === undefined) {
    problems.push(`${sources['shards']}: the cluster has a user name and no password`)
  }
}

function isDefault(settings: Settings, option: OptionName): boolean {
  const { format, default: written } = optionOf(option)
  const value = settings[option]
  if (value === undefined || written === undefined) return value === undefined
  const parsed = format.parse(written)
  return 'value' in parsed && parsed.value === value
}
