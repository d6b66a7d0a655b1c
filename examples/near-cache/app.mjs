// An application that reads its configuration and its pages again and again, as most do, and changes a few.
import { Redis } from 'ioredis'

const READS = 50_000
const print = (text) => process.stdout.write(`${text}\n`)
const redis = new Redis(Number(process.env.PORT ?? 6379))

for (let i = 0; i < 50; i++) await redis.set(`config:${i}`, `value ${i}`)
for (let i = 0; i < 200; i++) await redis.set(`page:${i}`, 'x'.repeat(2000))

const before = await facts()
const startedMs = performance.now()
for (let i = 0; i < READS; i++) {
  // Configuration is read for each request, pages as their readers like them.
  await redis.get(`config:${i % 50}`)
  await redis.get(`page:${Math.floor(200 * Math.random() ** 2)}`)
  if (i % 500 === 0) {
    const version = `version ${i}`
    await redis.set('config:0', version)
    // Whoever has been told that it is written reads nothing older.
    if ((await redis.get('config:0')) !== version) throw new Error('read something older')
  }
}
const seconds = (performance.now() - startedMs) / 1000
const after = await facts()

const saved = after('hits') + after('joined') - before('hits') - before('joined')
print(`${Math.round((2 * READS) / seconds)} reads a second, one after the other`)
print(`${((100 * saved) / (2 * READS)).toFixed(1)} % of them without a shard`)
redis.disconnect()

// What the ambassador counts; 0 where nothing is kept.
async function facts() {
  const list = await redis.call('AMBASSADOR', 'STATS')
  return (name) => Number(list[list.indexOf(`ambassador_near_cache_${name}`) + 1] ?? 0) || 0
}
