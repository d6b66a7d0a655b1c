/**
 * CPU time per request of two builds that run in turns, in short runs: their ratio, whatever else the machine does. How
 * the engine compiles a process is luck, so both are started anew several times.
 */
import { type Cell, namesOf } from './cells.ts'
import { runLoad } from './load.ts'
import type { Build } from './targets.ts'

export interface Run {
  readonly cell: Cell
  readonly requests: number
}

/** What is compared, and the requests of one run: about half a second each. */
const RUNS: readonly Run[] = [
  { cell: { command: 'get', depth: 1, valueBytes: 32 }, requests: 50_000 },
  { cell: { command: 'get', depth: 16, valueBytes: 32 }, requests: 500_000 },
  { cell: { command: 'get', depth: 100, valueBytes: 32 }, requests: 1_500_000 },
  { cell: { command: 'mget100', depth: 1, valueBytes: 32 }, requests: 15_000 },
]

export interface Turns {
  /** How often both are started. */
  readonly starts: number
  /** Runs of each, at each start. */
  readonly pairs: number
}

/** Writes the second over the first, for each kind of request: the median of the starts, and each of them. */
export async function compareInTurns(
  start: () => Promise<readonly [Build, Build]>,
  { starts, pairs }: Turns,
): Promise<void> {
  const medians = RUNS.map((): number[] => [])
  for (let count = 0; count < starts; count++) {
    const builds = await start()
    for (const [index, run] of RUNS.entries()) {
      medians[index]?.push(median(await ratiosOf(builds, run, pairs)))
    }
    for (const { child } of builds) await child.kill()
  }
  for (const [index, { cell }] of RUNS.entries()) {
    const ofStarts = (medians[index] ?? []).map((ratio) => ratio.toFixed(2))
    const middle = median(medians[index] ?? []).toFixed(2)
    process.stdout.write(
      `${namesOf(cell).join(' ')}: ${middle} (by start: ${ofStarts.join(', ')})\n`,
    )
  }
}

/** Run by run. Who goes first changes, so that warmth favours nobody. */
async function ratiosOf(
  builds: readonly [Build, Build],
  { cell, requests }: Run,
  pairs: number,
): Promise<number[]> {
  for (const { target } of builds) await runLoad(target, cell, requests)
  const ratios: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
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
