/**
 * `npm run bench`: the same load through Redis itself, HAProxy, nutcracker and the ambassador, over TCP and over
 * unix sockets, in turn.
 *
 *   --quick        one short run of a few cells, about a minute
 *   --only LIST    cells by name, such as get,mget100,p16,32b
 *   --node PATH    another Node for the ambassador; several, one after the other
 *   --repeat N     runs of each cell and target (3)
 *
 * A full run writes docs/benchmarks.md, one section for each major version of Node.
 */
import { parseArgs } from 'node:util'
import { ALL_CELLS, type Cell, QUICK_CELLS, selectCells } from './cells.ts'
import { describeMachine, version, writePart } from './document.ts'
import { loadKeys } from './keys.ts'
import { type Measurement, runLoad } from './load.ts'
import { legend, markdownTable, progressLine, type Result, textTable } from './report.ts'
import { startTargets, type Target } from './targets.ts'

const TRIAL_REQUESTS = 2000
const TRIAL_SECONDS_MIN = 0.2

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    repeat: { type: 'string' },
  },
})

async function main(): Promise<void> {
  const { quick, only } = options
  const names = only.split(',').filter((name) => name !== '')
  const cells = selectCells(quick ? QUICK_CELLS : ALL_CELLS, names)
  const repeat = Number(options.repeat ?? (quick ? 1 : 3))
  for (const node of options.node) {
    const results = await measure(cells, { node, repeat, secondsPerRun: quick ? 1 : 3 })
    const machine = await describeMachine(node)
    print(`\n${machine}\n${legend()}\n\n${textTable(results)}`)
    if (quick || names.length > 0) continue
    const nodeVersion = await version(node)
    const text = `## Node ${nodeVersion}\n\n${machine}\n${legend()}\n\n${markdownTable(results)}`
    // One part for each major version.
    writePart(`node-${nodeVersion.split('.')[0]}`, text)
  }
}

interface Plan {
  readonly node: string
  readonly repeat: number
  readonly secondsPerRun: number
}

/** Targets take turns within each cell, in an order that rotates, so that drift hits all alike. */
async function measure(cells: readonly Cell[], plan: Plan): Promise<Result[]> {
  const targets = await startTargets(plan.node)
  const results: Result[] = []
  let loadedBytes = 0
  try {
    for (const cell of cells) {
      if (cell.valueBytes !== loadedBytes) await loadKeys(targets.list, cell.valueBytes)
      loadedBytes = cell.valueBytes
      results.push(...(await measureCell(cell, targets.list, plan)))
    }
    return results
  } finally {
    await targets.stop()
  }
}

async function measureCell(cell: Cell, targets: readonly Target[], plan: Plan): Promise<Result[]> {
  const contests: { target: Target; requests: number; runs: Measurement[] }[] = []
  for (const target of targets) {
    const requests = Math.ceil((await requestsPerSecond(target, cell)) * plan.secondsPerRun)
    contests.push({ target, requests, runs: [] })
  }
  for (let run = 0; run < plan.repeat; run += 1) {
    const first = run % contests.length
    for (const { target, requests, runs } of [
      ...contests.slice(first),
      ...contests.slice(0, first),
    ]) {
      runs.push(await runLoad(target, cell, requests))
    }
  }
  const results = contests.map(({ target, runs }) => ({ cell, target: target.name, runs }))
  print(progressLine(results))
  return results
}

/** Tries until a run is long enough to tell; that also warms up the target. */
async function requestsPerSecond(target: Target, cell: Cell): Promise<number> {
  for (let requests = TRIAL_REQUESTS; ; requests *= 8) {
    const { requestsPerSecond } = await runLoad(target, cell, requests)
    if (requests / requestsPerSecond >= TRIAL_SECONDS_MIN) return requestsPerSecond
  }
}

function print(text: string): void {
  process.stdout.write(text)
}

await main()
