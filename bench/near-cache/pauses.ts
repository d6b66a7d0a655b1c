/**
 * How long collecting garbage stops an ambassador whose near-cache of 256 MB real clients fill, as V8 tells with
 * `--trace-gc`: `npm run bench:near-cache-pauses`. The ambassador has a core for itself. With `off` it has no near-cache.
 */
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { runChild, startChild } from '../../spec/support/child.ts'
import { freePort } from '../../spec/support/ports.ts'
import { startRedis } from '../../spec/support/redis-server.ts'
import { leaveCoreToMeasured } from '../cores.ts'
import { SHARD_NAMES } from '../targets.ts'

const KEYS = 600_000
const VALUE_BYTES = 600
/** Each writes or reads keys at random. */
const PHASES = [
  { name: 'keys are written', command: 'set', requests: 1_500_000 },
  { name: 'the cache is filled', command: 'get', requests: 3_000_000 },
  { name: 'it is nearly full', command: 'get', requests: 1_000_000 },
  { name: 'it is full', command: 'get', requests: 1_000_000 },
]
const PAUSE = /: (Scavenge|Mark-Compact)[^\n]*? MB, ([\d.]+) \/ /g

const [mode] = process.argv.slice(2)
const onItsCore = leaveCoreToMeasured()
const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
const port = await freePort()
const [command = process.execPath, ...before] = [...onItsCore, process.execPath]
const ambassador = await startChild({
  command,
  args: [...before, '--trace-gc', join(packageDirectory(), 'dist', 'bin.js')],
  env: {
    PATH: process.env['PATH'],
    AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
    AMBASSADOR_ADMIN_LISTEN: 'off',
    AMBASSADOR_SHARDS: shards.map((shard, i) => `${SHARD_NAMES[i]}=127.0.0.1:${shard.port}`).join(),
    ...(mode === 'off' ? {} : { AMBASSADOR_NEAR_CACHE_KEYS: 'key:' }),
    AMBASSADOR_NEAR_CACHE_MB: '256',
    AMBASSADOR_LOG_LEVEL: 'warn',
  },
  ready: { listens: [{ port }] },
})

/** Half of the numbers are below the first, none is above the second. */
function summary(pauses: readonly number[]): string {
  const sorted = pauses.toSorted((a, b) => a - b)
  if (sorted.length === 0) return 'none'
  return `${sorted.length}, half of them under ${sorted[sorted.length >> 1]} ms, longest ${sorted.at(-1)} ms`
}

for (const { name, command, requests } of PHASES) {
  const from = ambassador.output.length
  const load = ['-p', `${port}`, '-c', '50', '-P', '50', '-r', `${KEYS}`, '-d', `${VALUE_BYTES}`]
  await runChild('redis-benchmark', [...load, '-q', '-t', command, '-n', `${requests}`])
  const pauses = [...ambassador.output.slice(from).matchAll(PAUSE)]
  const of = (kind: string) =>
    pauses.filter(([, each]) => each === kind).map(([, , ms]) => Number(ms))
  process.stdout.write(`while ${name}:\n  short: ${summary(of('Scavenge'))}\n`)
  process.stdout.write(`  of the whole heap: ${summary(of('Mark-Compact'))}\n`)
}
await ambassador.kill()
for (const shard of shards) await shard.stop()
