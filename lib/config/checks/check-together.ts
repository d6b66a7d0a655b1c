/** What is wrong, or worth a note, only when several options are looked at together. */
import type { Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import { databaseProblems } from './check-databases.ts'
import { checkListen } from './check-listen.ts'
import { mirrorProblems } from './check-mirrors.ts'
import { memoryNotes } from './check-near-cache.ts'
import { checkPool, type PoolSettings } from './check-pool.ts'
import { routeProblems } from './check-routes.ts'
import { checkClientTls } from './check-tls.ts'
import { ownMemoryMb, workerProblems } from './check-workers.ts'

export interface Together {
  readonly settings: Settings
  /** The options of the first pool are those in `settings`. */
  readonly pools: readonly PoolSettings[]
  /** What the process may take, Infinity for no limit. */
  readonly memoryMb: number
  readonly workers: number
}

/** Adds to the findings. */
export function checkTogether(
  { settings, pools, memoryMb, workers }: Together,
  findings: Findings,
): void {
  const { problems, notes } = findings
  const sources = pools[0]?.sources ?? {}
  for (const pool of pools) checkPool(pool, settings.listen, findings)
  notes.push(...memoryNotes(pools, settings.maxClientMemoryMb ?? 0, memoryMb))
  const ofWorkers = workerProblems(workers, settings, pools)
  problems.push(...ofWorkers.map((text) => `${sources['workers']}: ${text}`))
  problems.push(...mirrorProblems(settings, pools))
  problems.push(...routeProblems(settings.routes ?? [], pools))
  problems.push(...databaseProblems(settings.databases ?? [], pools))
  checkListen(settings, pools, findings)
  const shards = pools.reduce((sum, { list }) => sum + list.shards.length, 0)
  const hasCluster = pools.some(({ list }) => list.cluster !== undefined)
  const { readyMinShards, maxClientMemoryMb = 0 } = settings
  const ownMb = ownMemoryMb(workers)
  if (maxClientMemoryMb + ownMb > memoryMb) {
    notes.push(
      `maxClientMemoryMb is ${maxClientMemoryMb} and ${workers === 1 ? 'the process takes' : `${workers} workers take`} up to ${ownMb} MB besides: ` +
        `more than the memory limit of ${memoryMb} MB, beyond which it is killed`,
    )
  }
  if (readyMinShards !== 'all' && !hasCluster && shards > 0 && readyMinShards > shards) {
    // A mistake rather than lowered in silence: an operator who asks for three shards and lists two
    // has forgotten one.
    problems.push(
      `${sources['readyMinShards']}: readyMinShards asks for more than all shards (${readyMinShards} of ${shards}): ` +
        'it would never be ready; "all" fits any number',
    )
  }
  const users = settings.users ?? []
  if (settings.authPassthrough && (settings.password !== undefined || users.length > 0)) {
    problems.push(
      `${sources['authPassthrough']}: authPassthrough leaves AUTH to the shards: password and users cannot be set with it`,
    )
  }
  checkClientTls(settings, sources, findings)
}
