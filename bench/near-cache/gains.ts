/**
 * What the near-cache brings and costs: `npm run bench:near-cache`. GETs beside nutcracker, Redis asked directly
 * and the ambassador without it, in short runs that take turns: CPU time of the process that is asked for each GET,
 * throughput, and what a single client waits behind a slow way. How many reads are answered from memory is set by
 * which keys are named. Who is asked has a core for itself, all else is on the others.
 *
 *   npm run bench:near-cache -- get,p16    only cells with these names, and nothing behind a slow way
 */
import { spawnSync } from 'node:child_process'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { DelayingRelay } from '../../spec/support/near-cache/delaying-relay.ts'
import { ALL_CELLS, type Cell, namesOf, selectCells } from '../cells.ts'
import { leaveCoreToMeasured } from '../cores.ts'
import { loadKeys } from '../keys.ts'
import { type Measurement, runLoad } from '../load.ts'
import {
  type Build,
  startBuild,
  startTargets,
  type Target,
  type Targets,
  targetNamed,
} from '../targets.ts'

const ROUNDS = 11
/** Named by three digits, `key:000000000...`. */
const KEYS = 1000
/** So many that hardly one is asked for twice. */
const COLD_KEYS = 100_000_000
/** Each way of the slow way: what Node's timers can do. */
const DELAY_MS = 1

/** Of one run: a fifth of a second of the measured process, twenty times the clock's step. */
const CELLS: readonly { readonly cell: Cell; readonly requests: number }[] = [
  { cell: { command: 'get', depth: 1, valueBytes: 32 }, requests: 20_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 32 }, requests: 150_000 },
  { cell: { command: 'get', depth: 100, valueBytes: 32 }, requests: 400_000 },
  { cell: { command: 'get', depth: 1, valueBytes: 4096 }, requests: 20_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 4096 }, requests: 60_000 },
  { cell: { command: 'get', depth: 100, valueBytes: 4096 }, requests: 60_000 },
  { cell: { command: 'mget10', depth: 16, valueBytes: 32 }, requests: 30_000 },
]

const DISTANT: Cell = { command: 'get', depth: 1, valueBytes: 32 }
const DISTANT_REQUESTS = 2000

const digits = (from: number, to: number, before: string) => {
  return Array.from({ length: to - from + 1 }, (_, at) => `key:000000000${before}${from + at}`)
}

/** By the share of the keys that are named. */
const NAMED: Readonly<Record<string, string>> = {
  'no key named': 'other:',
  '50 %': digits(0, 4, '').join(','),
  '90 %': digits(0, 8, '').join(','),
  '99 %': [...digits(0, 8, ''), ...digits(0, 8, '9')].join(','),
  all: 'key:',
}

const [only] = process.argv.slice(2)
const wanted = new Set(
  selectCells(ALL_CELLS, only?.split(',') ?? []).map((cell) => `${namesOf(cell)}`),
)
const isWanted = ({ cell }: { readonly cell: Cell }): boolean => wanted.has(`${namesOf(cell)}`)

/** From here on this process and its children leave one core to what is measured. */
const ON_ITS_CORE = leaveCoreToMeasured()

interface Candidate {
  readonly name: string
  readonly target: Target
  readonly keys: number
  readonly results: Measurement[]
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** Of the least: whatever else the machine does makes a run dearer, and none cheaper. */
function quartile(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 4)] ?? Number.NaN
}

/** Ambassadors with the keys named, by the names of the shares. */
async function ambassadors(shards: readonly { port: number }[]): Promise<Map<string, Build>> {
  const builds = new Map<string, Build>()
  for (const [name, keys] of Object.entries(NAMED)) {
    const env = { AMBASSADOR_NEAR_CACHE_KEYS: keys, AMBASSADOR_NEAR_CACHE_MB: '64' }
    builds.set(
      name,
      await startBuild(packageDirectory(), process.execPath, shards, env, ON_ITS_CORE),
    )
  }
  return builds
}

function candidatesOf({ list }: Targets, builds: ReadonlyMap<string, Build>): Candidate[] {
  const direct = targetNamed(list, 'redis')
  const nutcracker = targetNamed(list, 'nutcracker')
  const without = targetNamed(list, 'ambassador')
  const all = builds.get('all')?.target as Target
  const candidate = (name: string, target: Target, keys = KEYS) => {
    return { name, target, keys, results: [] }
  }
  return [
    candidate('nutcracker', nutcracker),
    candidate('direct', direct),
    candidate('without', without),
    ...[...builds].map(([name, { target }]) => candidate(name, target)),
    candidate('without, keys asked for once', without, COLD_KEYS),
    candidate('all, keys asked for once', all, COLD_KEYS),
  ]
}

/** Each in turn, after a run that fills what is kept. Who goes first changes, so that warmth favours nobody. */
async function measure(candidates: Candidate[], cell: Cell, requests: number, clients?: number) {
  for (const { target, keys } of candidates) await runLoad(target, cell, requests, keys, clients)
  for (let round = 0; round < ROUNDS; round++) {
    for (const { target, keys, results } of round % 2 === 0
      ? candidates
      : candidates.toReversed()) {
      results.push(await runLoad(target, cell, requests, keys, clients))
    }
  }
}

/** Ratios to the first candidate: of the least quartiles of CPU time, and of the medians of throughput. */
function report(candidates: readonly Candidate[]): void {
  const cpuOf = ({ results }: Candidate) => {
    return quartile(results.map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest))
  }
  const rateOf = ({ results }: Candidate) => {
    return median(results.map(({ requestsPerSecond }) => requestsPerSecond))
  }
  const [base] = candidates as [Candidate]
  for (const candidate of candidates) {
    const cpu = (cpuOf(candidate) / cpuOf(base)).toFixed(2)
    const rate = (rateOf(candidate) / rateOf(base)).toFixed(2)
    const p50 = median(candidate.results.map(({ p50Ms }) => p50Ms)).toFixed(2)
    print(`  ${candidate.name}: CPU ${cpu}, throughput ${rate}, p50 ${p50} ms`)
  }
}

async function near(targets: Targets): Promise<void> {
  const builds = await ambassadors(targets.shards)
  for (const { cell, requests } of CELLS.filter(isWanted)) {
    await loadKeys(targets.list, cell.valueBytes)
    const candidates = candidatesOf(targets, builds)
    await measure(candidates, cell, requests)
    print(`${cell.command} ${cell.valueBytes} B, depth ${cell.depth}; nutcracker is 1`)
    report(candidates)
  }
  for (const { child } of builds.values()) await child.kill()
}

/** One client, shards behind a slow way. */
async function far(targets: Targets): Promise<void> {
  await loadKeys(targets.list, DISTANT.valueBytes)
  const relayTo = (port: number) => DelayingRelay.start(port, () => DELAY_MS)
  const relays = await Promise.all(targets.shards.map(({ port }) => relayTo(port)))
  const builds = await ambassadors(relays)
  const without = await startBuild(packageDirectory(), process.execPath, relays, {}, ON_ITS_CORE)
  const redis = targetNamed(targets.list, 'redis')
  const direct = await relayTo('port' in redis.at ? redis.at.port : Number.NaN)
  const candidates: Candidate[] = [
    { name: 'direct', target: { ...redis, at: { port: direct.port } }, keys: KEYS, results: [] },
    { name: 'without', target: without.target, keys: KEYS, results: [] },
    ...[...builds].map(([name, { target }]) => ({ name, target, keys: KEYS, results: [] })),
  ]
  await measure(candidates, DISTANT, DISTANT_REQUESTS, 1)
  print(`get ${DISTANT.valueBytes} B, one client, ${DELAY_MS} ms each way to Redis; direct is 1`)
  report(candidates)
  for (const { child } of [without, ...builds.values()]) await child.kill()
  for (const relay of [direct, ...relays]) await relay.stop()
}

const targets = await startTargets(process.execPath)
for (const { pid } of targets.list) {
  if (ON_ITS_CORE.length > 0) spawnSync('taskset', ['-apc', ON_ITS_CORE[2] as string, `${pid}`])
}
await near(targets)
if (only === undefined) await far(targets)
await targets.stop()
