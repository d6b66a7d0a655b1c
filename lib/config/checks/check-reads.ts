/** What is wrong, or worth a note, about options for reads from replicas. */
import type { Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import { shown } from '../values/formats.ts'
import type { ShardConfig } from '../values/types.ts'

interface ReadSettings {
  readonly settings: Pick<Settings, 'readFrom' | 'zone'>
  /** By option, what has set it. */
  readonly sources: Readonly<Record<string, string>>
}

/**
 * Adds to the findings. Replicas that the sentinels name are known later; `doctor` tells of them.
 */
export function checkReads(
  { settings: { readFrom, zone }, sources }: ReadSettings,
  shards: readonly ShardConfig[],
  { problems, notes }: Findings,
): void {
  if (readFrom === 'master') {
    if (shards.some(({ replicas }) => replicas.length > 0)) {
      notes.push('replicas are named and nothing is read from them: readFrom is master')
    }
    return
  }
  const bare = shards.filter(({ replicas, sentinel }) => {
    return replicas.length === 0 && sentinel === undefined
  })
  if (readFrom === 'replica' && bare.length > 0) {
    const names = bare.map(({ name }) => shown(name)).join(', ')
    problems.push(
      `${sources['readFrom']}: readFrom is replica and no replica is known of ${names}; name them with ` +
        'redis://host:port?replica=host:port, or choose prefer-replica',
    )
  } else if (shards.length > 0 && bare.length === shards.length) {
    notes.push(`readFrom is ${readFrom} and no shard has a replica: all is read from the masters`)
  }
  if (zone !== undefined && readFrom !== 'nearest') {
    notes.push(`zone says what is near, and readFrom is ${readFrom}: only nearest asks for it`)
  }
}
