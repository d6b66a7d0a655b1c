/**
 * A run: shards or a cluster, an ambassador in front, clients that know what they may be told, and a
 * nemesis. In the end the servers' own contents are held against the history.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type AmbassadorProcess, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { createRandom } from '../support/random.ts'
import { startClusterWorld } from './cluster-world.ts'
import { Report, Tokens } from './history.ts'
import { type Memory, MemorySampler } from './memory-slope.ts'
import { startRingWorld } from './ring-world.ts'
import { Workload } from './workload.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  readonly clients: number
  /** To each shard. */
  readonly connections: number
  /** Default: a ring. */
  readonly topology?: 'ring' | 'cluster'
}

export interface ChaosResult {
  readonly report: Report
  /** Of the ambassador, which is a process of its own. */
  readonly memory: Memory
  readonly deeds: ReadonlyMap<string, number>
}

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, seconds, clients, connections, topology = 'ring' } = options
  const random = createRandom(seed)
  const report = new Report()
  const world = await (topology === 'ring' ? startRingWorld(seed) : startClusterWorld(report))
  const ambassador = await startAmbassadorProcess(world.shards, [
    ...world.flags,
    ...['--connections-per-shard', String(connections)],
  ])
  const sampler = new MemorySampler(() => ambassador.residentBytes())
  const tokens = new Tokens()
  const workloads = Array.from({ length: clients }, (_, id) => {
    const own = createRandom(seed * 1000 + id)
    return new Workload({ id, port: ambassador.port, random: own, report, tokens, depth: 40 })
  })
  const running = workloads.map((workload) => workload.run())
  let stopped = false
  const deeds = world.torment(random, () => stopped)
  await pause(seconds * 1000)
  stopped = true
  const done = await deeds
  for (const workload of workloads) workload.stop()
  await Promise.all(running)
  const memory = sampler.stop()
  await checkEnd(ambassador, report)
  await world.check(tokens, report)
  await world.stop()
  return { report, memory, deeds: done }
}

/** I11: nothing is left under way when all clients have gone, and it ends when it is told to. */
async function checkEnd(ambassador: AmbassadorProcess, report: Report): Promise<void> {
  const left = await ambassador.leftUnderWay()
  if (left !== undefined) report.violated(`I11: at the end there is still ${left}`)
  await ambassador.child.kill('SIGTERM')
  const status = await ambassador.child.exited
  if (status !== 0) report.violated(`the ambassador ended with ${status}`)
}
