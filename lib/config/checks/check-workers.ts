/** What several workers ask of the other options. */
import { CLIENT_MEMORY_MB_MIN, PROCESS_MEMORY_MB } from '../../limits.ts'
import type { Settings } from '../schema.ts'

/** One pool, as far as it matters here. */
interface Pool {
  readonly settings: Pick<Settings, 'nearCacheKeys'>
}

/** What the processes take beside what they hold for clients, MB: workers, and who looks after them if there are several. */
export function ownMemoryMb(workers: number): number {
  return PROCESS_MEMORY_MB * (workers === 1 ? 1 : workers + 1)
}

export function workerProblems(
  workers: number,
  { maxClients, maxClientMemoryMb = 0, whatIf }: Settings,
  pools: readonly Pool[],
): string[] {
  if (workers === 1) return []
  const leastMb = workers * CLIENT_MEMORY_MB_MIN
  const problems: string[] = []
  if (maxClients < workers) {
    problems.push(`maxClients is ${maxClients}, fewer than one for each of ${workers} workers`)
  }
  if (maxClientMemoryMb < leastMb) {
    problems.push(
      `maxClientMemoryMb is ${maxClientMemoryMb}; ${workers} workers need ${leastMb}, ` +
        `${CLIENT_MEMORY_MB_MIN} for each`,
    )
  }
  // A write through one worker would leave the replies that another keeps as they are for a moment.
  if (pools.some(({ settings }) => settings.nearCacheKeys !== undefined)) {
    problems.push(`nearCacheKeys needs one worker, and there are ${workers}`)
  }
  if (whatIf !== undefined) problems.push(`whatIf needs one worker, and there are ${workers}`)
  return problems
}
