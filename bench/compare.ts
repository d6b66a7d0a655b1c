/**
 * `npm run bench:compare -- OLD_DIRECTORY NEW_DIRECTORY`: what a change costs. CPU time per request of
 * two builds of the ambassador over the same three shards, in short runs that take turns; how the
 * engine compiles a process is luck, so both are started anew several times. The builds run on a core of
 * their own, all else on the others.
 */
import { parseArgs } from 'node:util'
import { startRedis } from '../spec/support/redis-server.ts'
import { type Cell, namesOf } from './cells.ts'
import { leaveCoreToMeasured } from './cores.ts'
import { runLoad } from './load.ts'
import { type Build, SHARD_NAMES, startBuild } from './targets.ts'

/** What is compared, and the requests of one run: about half a second each. */
const RUNS: readonly { readonly cell: Cell; readonly requests: number }[] = [
  { cell: { command: 'get', depth: 1, valueBytes: 32 }, requests: 50_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 32 }, requests: 500_000 },
  { cell: { command: 'get', depth: 100, valueBytes: 32 }, requests: 1_500_000 },
  { cell: { command: 'mget100', depth: 1, valueBytes: 32 }, requests: 15_000 },
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    starts: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '7' },
  },
})

async function main(): Promise<void> {
  const [before, after] = positionals
  if (before === undefined || after === undefined) {
    throw new Error('which two builds? npm run bench:compare -- OLD_DIRECTORY NEW_DIRECTORY')
  }
  const onItsCore = leaveCoreToMeasured()
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  const medians = RUNS.map((): number[] => [])
  for (let start = 0; start < Number(values.starts); start++) {
    const targets = [
      await startBuild(before, process.execPath, shards, {}, onItsCore),
      await startBuild(after, process.execPath, shards, {}, onItsCore),
    ] as const
    for (const [index, run] of RUNS.entries()) {
      medians[index]?.push(median(await ratiosOf(targets, run)))
    }
    for (const { child } of targets) await child.kill()
  }
  for (const shard of shards) await shard.stop()
  for (const [index, { cell }] of RUNS.entries()) {
    const ofStarts = (medians[index] ?? []).map((ratio) => ratio.toFixed(2))
    const middle = median(medians[index] ?? []).toFixed(2)
    process.stdout.write(
      `${namesOf(cell).join(' ')}: ${middle} (by start: ${ofStarts.join(', ')})\n`,
    )
  }
}

/** After over before, run by run. Who goes first changes, so that warmth favours nobody. */
async function ratiosOf(
  builds: readonly [Build, Build],
  { cell, requests }: (typeof RUNS)[number],
): Promise<number[]> {
  for (const { target } of builds) await runLoad(target, cell, requests)
  const ratios: number[] = []
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const micros = [0, 0]
    for (const at of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      const { cpuMicrosPerRequest } = await runLoad((builds[at] as Build).target, cell, requests)
      micros[at] = cpuMicrosPerRequest
    }
    ratios.push((micros[1] as number) / (micros[0] as number))
  }
  return ratios
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN
}

await main()
