/** What is worth a note about the near-cache together with other options. */
import { PROCESS_MEMORY_MB } from '../../limits.ts'
import type { Settings } from '../schema.ts'
import type { ClusterConfig } from '../values/types.ts'

/** `memoryMb`: what the process may take, Infinity for no limit. */
export function nearCacheNotes(
  { nearCacheKeys, nearCacheMb, readFrom, maxClientMemoryMb = 0 }: Settings,
  cluster: ClusterConfig | undefined,
  memoryMb: number,
): string[] {
  if (nearCacheKeys === undefined) return []
  if (cluster !== undefined) {
    return ['nearCacheKeys is not used: keys of a Redis Cluster move from node to node']
  }
  if (readFrom !== 'master') {
    return [
      `nearCacheKeys is not used: readFrom is ${readFrom}, and only the master announces changes`,
    ]
  }
  const othersMb = maxClientMemoryMb + PROCESS_MEMORY_MB
  if (nearCacheMb + othersMb <= memoryMb) return []
  return [
    `nearCacheMb is ${nearCacheMb}, and clients and the process take up to ${othersMb} MB besides: ` +
      `more than the memory limit of ${memoryMb} MB, beyond which it is killed`,
  ]
}
