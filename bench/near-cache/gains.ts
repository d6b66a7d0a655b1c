/**
 * What the near-cache brings and costs: `npm run bench:near-cache`. GETs of keys that are all in memory, and
 * of keys that it is not for, beside nutcracker, Redis asked directly, and
 * the ambassador without it, in runs that take turns. CPU time of the process that is asked, for each GET.
 */
import { packageDirectory } from '../../lib/config/package-directory.ts'
import type { RedisServer } from '../../spec/support/redis-server.ts'
import type { Cell } from '../cells.ts'
import { loadKeys } from '../keys.ts'
import { type Measurement, runLoad } from '../load.ts'
import { type Build, startBuild, startTargets, type Target } from '../targets.ts'

const ROUNDS = 3
/** So few that all of them are in memory after the first runs. */
const KEYS = 2000

const CELLS: readonly { readonly cell: Cell; readonly requests: number }[] = [
  { cell: { command: 'get', depth: 1, valueBytes: 32 }, requests: 40_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 32 }, requests: 400_000 },
  { cell: { command: 'get', depth: 100, valueBytes: 32 }, requests: 1_000_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 4096 }, requests: 200_000 },
]

interface Candidate {
  readonly name: string
  readonly target: Target
  readonly results: Measurement[]
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

async function ambassador(shards: readonly RedisServer[], keys: string): Promise<Build> {
  const env =
    keys === '' ? {} : { AMBASSADOR_NEAR_CACHE_KEYS: keys, AMBASSADOR_NEAR_CACHE_MB: '256' }
  return startBuild(packageDirectory(), process.execPath, shards, env)
}

async function main(): Promise<void> {
  const targets = await startTargets(process.execPath)
  const [redis, nutcracker, without] = targets.list as [Target, Target, Target]
  const { shards } = targets
  const builds = [await ambassador(shards, 'key:'), await ambassador(shards, 'other:')]
  const [all, unmatched] = builds.map(({ target }) => target) as [Target, Target]
  const names = ['direct', 'nutcracker', 'without', 'all hits', 'no key matches']
  const places = [redis, nutcracker, without, all, unmatched]
  for (const { cell, requests } of CELLS) {
    await loadKeys(targets.list, cell.valueBytes)
    const candidates: Candidate[] = names.map((name, at) => {
      return { name, target: places[at] as Target, results: [] }
    })
    // Read twice, everything is there.
    for (const { target } of candidates) await runLoad(target, cell, requests, KEYS)
    await runLoad(all, cell, requests, KEYS)
    for (let round = 0; round < ROUNDS; round++) {
      for (const { target, results } of candidates)
        results.push(await runLoad(target, cell, requests, KEYS))
    }
    print(
      `GET ${cell.valueBytes} B, depth ${cell.depth}: CPU per GET and throughput, nutcracker is 1`,
    )
    const base = candidates[1]?.results ?? []
    for (const { name, results } of candidates) {
      const cpu = results.map((result, at) => {
        return result.cpuMicrosPerRequest / (base[at]?.cpuMicrosPerRequest ?? Number.NaN)
      })
      const rate = results.map((result, at) => {
        return result.requestsPerSecond / (base[at]?.requestsPerSecond ?? Number.NaN)
      })
      print(`  ${name}: ${median(cpu).toFixed(2)} (${median(rate).toFixed(1)})`)
    }
  }
  for (const { child } of builds) await child.kill()
  await targets.stop()
}

await main()
