/**
 * Reads through near-caches while everything happens that can, each judged by what its reader had a right to
 * see: `npm run near-cache -- [reads] [seed]`. Ends with status 1 if any was older.
 */
import { History } from '../../spec/support/near-cache/history.ts'

const [reads = '1000000', seed = `${Date.now() % 1e6}`] = process.argv.slice(2)

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

const history = new History({
  seed: Number(seed),
  reads: Number(reads),
  delayMs: 4,
  staleMs: 400,
  troubleEveryMs: 1000,
})
const startedMs = performance.now()
// No socket of a history keeps a process from ending.
const alive = setInterval(() => {}, 1000)
await history.run()
clearInterval(alive)
const seconds = Math.round((performance.now() - startedMs) / 1000)
const events = [...history.events].map(([name, count]) => `${count} times ${name}`)
print(`${history.reads} reads, ${history.writes} writes in ${seconds} s, seed ${seed}`)
const percent = Math.round((100 * history.fromMemory) / history.reads)
print(`${percent} % of them from memory; ${history.askedOfShards} commands reached a shard`)
print(`${history.failed} failed meanwhile`)
print(events.join(', '))
print(`${history.lies.length} were older than they may be`)
for (const lie of history.lies.slice(0, 20)) print(lie)
process.exitCode = history.lies.length === 0 ? 0 : 1
