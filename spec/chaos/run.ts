/**
 * `npm run chaos -- --seconds N --seed S --clients N`: a long run, with its counts and what its
 * memory did; exit code 1 if a rule was broken.
 */
import { parseArgs } from 'node:util'
import { runChaos } from './chaos.ts'
import { MemorySlope } from './memory-slope.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: '16' },
  },
})
const seed = Number(values.seed)
const print = (text: string): void => void process.stdout.write(`${text}\n`)
print(`seed ${seed}, ${values.seconds} s, ${values.clients} clients`)
const memory = new MemorySlope()
const { report, deeds } = await runChaos({
  seed,
  seconds: Number(values.seconds),
  clients: Number(values.clients),
})
print(`deeds: ${[...deeds].map(([name, count]) => `${name} ${count}`).join(', ')}`)
print(`requests: ${[...report.outcomes].map(([name, count]) => `${count} ${name}`).join(', ')}`)
for (const [error, count] of report.errors) print(`  ${count} x ${error}`)
// Clients, checker and ambassador are one process: its memory is that of all three.
print(`memory: ${memory.stop()}`)
for (const violation of report.violations) print(`VIOLATION ${violation}`)
print(
  report.violations.length === 0 ? 'no rule was broken' : `${report.violations.length} violations`,
)
process.exitCode = report.violations.length === 0 ? 0 : 1
