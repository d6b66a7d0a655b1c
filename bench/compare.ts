/**
 * `npm run bench:compare -- OLD_DIRECTORY NEW_DIRECTORY`: what a change costs. CPU time per request of
 * two builds of the ambassador over the same three shards, in short runs that take turns; how the
 * engine compiles a process is luck, so both are started anew several times.
 */
import { parseArgs } from 'node:util'
import { startRedis } from '../spec/support/redis-server.ts'
import type { Cell } from './cells.ts'
import { runLoad } from './load.ts'
import { type Build, SHARD_NAMES, startBuild } from './targets.ts'

/** Requests of one run by depth: about half a second each. */
const REQUESTS = { 1: 50_000, 16: 500_000, 100: 1_500_000 }
const DEPTHS = [1, 16, 100] as const

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
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  const medians = DEPTHS.map((): number[] => [])
  for (let start = 0; start < Number(values.starts); start++) {
    const targets = [
      await startBuild(before, process.execPath, shards),
      await startBuild(after, process.execPath, shards),
    ] as const
    for (const [index, depth] of DEPTHS.entries()) {
      const ratios = await ratiosOf(targets, depth)
      medians[index]?.push(median(ratios))
    }
    for (const { child } of targets) await child.kill()
  }
  for (const shard of shards) await shard.stop()
  for (const [index, depth] of DEPTHS.entries()) {
    const ofStarts = (medians[index] ?? []).map((ratio) => ratio.toFixed(2))
    const middle = median(medians[index] ?? []).toFixed(2)
    process.stdout.write(`depth ${depth}: ${middle} (by start: ${ofStarts.join(', ')})\n`)
  }
}

/** After over before, run by run. Who goes first changes, so that warmth favours nobody. */
async function ratiosOf(
  builds: readonly [Build, Build],
  depth: (typeof DEPTHS)[number],
): Promise<number[]> {
  const requests = REQUESTS[depth]
  const cell: Cell = { command: 'get', depth, valueBytes: 32 }
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
