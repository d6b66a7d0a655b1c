/**
 * `npm run chaos -- --topology ring|cluster --seconds N --seed S --clients N --connections N`: a long run, with its counts and
 * what the ambassador's memory did; exit code 1 if a rule was broken or the memory grew.
 */
import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import type { Memory } from './memory-slope.ts'

/**
 * Growth that no run may show, MB an hour: a megabyte a minute. The garbage collector alone moves the
 * resident set by some MB, so that less cannot be told from noise within minutes.
 */
const SLOPE_MB_PER_HOUR_MAX = 60
/** Of a shorter run the slope is only printed: its heap has not settled. */
const SLOPE_SECONDS_MIN = 300

const ALIVE_MS = 1000

const { values } = parseArgs({
  options: {
    topology: { type: 'string', default: 'ring' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '16' },
    connections: { type: 'string', default: '1' },
  },
})
const [seconds, seed, clients, connections] = [
  Number(values.seconds),
  Number(values.seed),
  Number(values.clients),
  Number(values.connections),
]

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function memoryLine({ samples, minMb, medianMb, maxMb, slopeMbPerHour }: Memory): string {
  const range = `min ${minMb}, median ${medianMb}, max ${maxMb} MB`
  return `RSS over the last ${samples} s: ${range}; slope ${slopeMbPerHour.toFixed(1)} MB an hour`
}

print(
  `${values.topology}, seed ${seed}, ${seconds} s, ${clients} clients, ${connections} connections to each shard`,
)
const topology = values.topology === 'cluster' ? 'cluster' : 'ring'
const options = { seed, seconds, clients, connections, topology } as const
// Connections and children of specs let a process end that waits for nothing else.
const alive = setInterval(() => {}, ALIVE_MS)
const { report, deeds, memory } = await runChaos(options)
clearInterval(alive)
if (seconds >= SLOPE_SECONDS_MIN && memory.slopeMbPerHour > SLOPE_MB_PER_HOUR_MAX) {
  report.violated(`I7: the slope is above ${SLOPE_MB_PER_HOUR_MAX} MB an hour`)
}
print(`deeds: ${[...deeds].map(([name, count]) => `${name} ${count}`).join(', ')}`)
print(`requests: ${[...report.outcomes].map(([name, count]) => `${count} ${name}`).join(', ')}`)
for (const [error, count] of report.errors) print(`  ${count} x ${error}`)
if (report.losses.writes > 0) {
  print(
    `${report.losses.writes} acknowledged writes were lost with masters that had not replicated them`,
  )
}
print(memoryLine(memory))
for (const violation of report.violations) print(`VIOLATION ${violation}`)
print(
  report.violations.length === 0 ? 'no rule was broken' : `${report.violations.length} violations`,
)
process.exitCode = report.violations.length === 0 ? 0 : 1
