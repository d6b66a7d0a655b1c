/**
 * A run: shards that keep what they acknowledge, an ambassador in front, clients that know what they
 * may be told, and a nemesis. In the end the shards' own contents are held against the history.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type AmbassadorProcess, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { placementOver } from '../support/placement.ts'
import { createRandom } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Chopper } from './chopper.ts'
import { Report, Tokens } from './history.ts'
import { type Memory, MemorySampler } from './memory-slope.ts'
import { torment } from './nemesis.ts'
import { Workload } from './workload.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  readonly clients: number
  /** To each shard. */
  readonly connections: number
}

export interface ChaosResult {
  readonly report: Report
  /** Of the ambassador, which is a process of its own. */
  readonly memory: Memory
  readonly deeds: ReadonlyMap<string, number>
}

const SHARDS = 3
/** A write that was acknowledged survives kill -9. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
/** Longer than any wait of the run: what is late by then never comes. */
const REQUEST_TIMEOUT_MS = 500

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, seconds, clients, connections } = options
  const random = createRandom(seed)
  const redises: RedisServer[] = []
  for (let i = 0; i < SHARDS; i++) redises.push(await startRedis({ args: DURABLE }))
  const last = redises[SHARDS - 1] as RedisServer
  const chopper = new Chopper(last.port, createRandom(seed + 1))
  const ports = [...redises.slice(0, -1).map(({ port }) => port), await chopper.listen()]
  const ambassador = await startAmbassadorProcess(
    ports.map((port) => ({ port })),
    [
      ...['--request-timeout-ms', String(REQUEST_TIMEOUT_MS)],
      ...['--connections-per-shard', String(connections)],
    ],
  )
  const sampler = new MemorySampler(() => ambassador.residentBytes())
  const report = new Report()
  const tokens = new Tokens()
  const workloads = Array.from({ length: clients }, (_, id) => {
    const own = createRandom(seed * 1000 + id)
    return new Workload({ id, port: ambassador.port, random: own, report, tokens, depth: 40 })
  })
  const running = workloads.map((workload) => workload.run())
  let stopped = false
  const deeds = torment({ redises, chopper }, random, () => stopped)
  await pause(seconds * 1000)
  stopped = true
  const done = await deeds
  for (const workload of workloads) workload.stop()
  await Promise.all(running)
  const memory = sampler.stop()
  await checkEnd(ambassador, report)
  await checkContents(redises, tokens, report)
  await chopper.close()
  for (const redis of redises) await redis.stop()
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

/** I4 by counting tokens, I6 by looking for keys on shards that do not own them. */
async function checkContents(
  redises: readonly RedisServer[],
  tokens: Tokens,
  report: Report,
): Promise<void> {
  const placement = placementOver(
    redises.map((_, index) => ({ name: 'abc'.charAt(index), weight: 1 })),
  )
  const found: string[] = []
  for (const [shard, redis] of redises.entries()) {
    const client = await connectRaw(redis.port)
    for (const key of words(await client.request('KEYS', '*'))) {
      const bytes = Buffer.from(key, 'latin1')
      if (placement.shardOf(bytes, 0, bytes.length) !== shard) {
        report.violated(`I6: key ${key} is on shard ${shard}`)
      }
      if (!key.startsWith('log:')) continue
      // One by one: after a long run they are more than a call takes arguments.
      for (const token of words(await client.request('LRANGE', key, '0', '-1'))) found.push(token)
    }
    await client.close()
  }
  for (const violation of tokens.violations(found)) report.violated(violation)
}

/** The elements of an array of short words without line ends. */
function words(reply: Buffer): string[] {
  return reply
    .toString('latin1')
    .split('\r\n')
    .filter((line, index) => index > 0 && line !== '' && !line.startsWith('$'))
}
