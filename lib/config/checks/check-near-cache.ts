/** What is worth a note about the near-cache together with other options. */
import { PROCESS_MEMORY_MB } from '../../limits.ts'
import type { Settings } from '../schema.ts'

/** One pool, as far as it matters here. */
export interface KeepingPool {
  readonly settings: Settings
}

/** Why nothing of the pool is kept although that is wanted; undefined: it is kept, or not wanted. */
export function whyNotKept({ settings }: KeepingPool): string | undefined {
  const { nearCacheKeys, readFrom } = settings
  if (nearCacheKeys === undefined || readFrom === 'master') return undefined
  return `nearCacheKeys is not used: readFrom is ${readFrom}, and only the master announces changes`
}

/** What is kept of all pools takes so much. */
export function keptMbOf(pools: readonly KeepingPool[]): number {
  const keeping = pools.filter((pool) => {
    return pool.settings.nearCacheKeys !== undefined && whyNotKept(pool) === undefined
  })
  return keeping.reduce((sum, { settings }) => sum + settings.nearCacheMb, 0)
}

/** `memoryMb`: what the process may take, Infinity for no limit. */
export function memoryNotes(
  pools: readonly KeepingPool[],
  maxClientMemoryMb: number,
  memoryMb: number,
): string[] {
  const keptMb = keptMbOf(pools)
  const othersMb = maxClientMemoryMb + PROCESS_MEMORY_MB
  if (keptMb === 0 || keptMb + othersMb <= memoryMb) return []
  const named = pools.length === 1 ? 'nearCacheMb is' : 'nearCacheMb of all pools is'
  return [
    `${named} ${keptMb}, and clients and the process take up to ${othersMb} MB besides: ` +
      `more than the memory limit of ${memoryMb} MB, beyond which it is killed`,
  ]
}
