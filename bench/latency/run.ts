/**
 * `npm run bench:latency`: what a hop adds to the time of a request, at loads that all targets can take. A generator
 * of its own sends GETs on schedule to each target in turn.
 *
 *   --node PATH    another Node for the ambassador; several, one after the other
 *   --seconds N    of each run, besides a second that does not count (5)
 *   --repeat N     runs of each load and target (3)
 *   --rates LIST   requests a second (2000,10000,30000)
 *   --dry          prints the table, and leaves docs/benchmarks.md alone
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { columns } from '../../lib/cli/columns.ts'
import { runChild } from '../../spec/support/child.ts'
import { describeMachine, markdown, version, writePart } from '../document.ts'
import { keyCount, loadKeys } from '../keys.ts'
import { cpuMicros } from '../load.ts'
import { startTargets, type Target } from '../targets.ts'
import type { OpenLoad } from './generator.ts'
import type { Latencies } from './latencies.ts'
import { HEADER, NUMBERS, type Run, rowsOf } from './table.ts'

const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url))
const VALUE_BYTES = 32
const CONNECTIONS = [1, 100]
const LEGEND =
  `GET of ${VALUE_BYTES} B, sent on schedule; medians. Latencies count from the moment at ` +
  'which a request was due, and are known to within 0.05 ms. What a target adds is its latency less that of Redis ' +
  'in the same row; HAProxy passes bytes on to one server.'

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: [process.execPath] },
    seconds: { type: 'string', default: '5' },
    repeat: { type: 'string', default: '3' },
    rates: { type: 'string', default: '2000,10000,30000' },
    dry: { type: 'boolean', default: false },
  },
})

async function measure(node: string): Promise<Run[]> {
  const targets = await startTargets(node)
  const runs: Run[] = []
  try {
    await loadKeys(targets.list, VALUE_BYTES)
    for (const rate of options.rates.split(',').map(Number)) {
      for (const connections of CONNECTIONS) {
        for (let round = 0; round < Number(options.repeat); round++) {
          // Who goes first changes, so that a busy minute hits all.
          const first = round % targets.list.length
          for (const target of [...targets.list.slice(first), ...targets.list.slice(0, first)]) {
            runs.push({ rate, connections, ...(await runAgainst(target, rate, connections)) })
          }
        }
        print(columns([HEADER, ...rowsOf(runs.filter((run) => run.rate === rate))], NUMBERS))
      }
    }
    return runs
  } finally {
    await targets.stop()
  }
}

async function runAgainst(target: Target, rate: number, connections: number) {
  const seconds = Number(options.seconds)
  const load: OpenLoad = {
    ...{ at: target.at, connections, rate, seconds },
    ...{ keys: keyCount(VALUE_BYTES), valueBytes: VALUE_BYTES },
  }
  const before = cpuMicros(target.pid)
  const { code, stdout, stderr } = await runChild(process.execPath, [
    GENERATOR,
    JSON.stringify(load),
  ])
  if (code !== 0) throw new Error(`the generator against ${target.name} (${code}):\n${stderr}`)
  // With the second that warms up.
  const cpuMicrosPerRequest = (cpuMicros(target.pid) - before) / (rate * (seconds + 1))
  return { target: target.name, cpuMicrosPerRequest, ...(JSON.parse(stdout) as Latencies) }
}

function print(text: string): void {
  process.stdout.write(text)
}

for (const node of options.node) {
  const rows = rowsOf(await measure(node))
  const machine = await describeMachine(node)
  print(`\n${machine}\n${LEGEND}\n\n${columns([HEADER, ...rows], NUMBERS)}`)
  if (options.dry) continue
  const nodeVersion = await version(node)
  const title = `## Latency at a fixed rate, Node ${nodeVersion}`
  const table = markdown([HEADER, ...rows], NUMBERS)
  writePart(`latency-${nodeVersion.split('.')[0]}`, `${title}\n\n${machine}\n${LEGEND}\n\n${table}`)
}
