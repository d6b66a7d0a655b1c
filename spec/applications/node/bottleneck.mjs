/** bottleneck: two limiters that share one limit, with a reservoir. */
import { deepEqual, equal } from 'node:assert/strict'
import Bottleneck from 'bottleneck'
import Redis from 'ioredis'
import { database, done, host, port } from './server.mjs'

const limiters = [1, 2].map(() => {
  return new Bottleneck({
    id: 'calls',
    datastore: 'ioredis',
    Redis,
    clientOptions: { host, port, db: database },
    clearDatastore: false,
    maxConcurrent: 2,
    reservoir: 20,
  })
})
for (const limiter of limiters) {
  limiter.on('error', (error) => {
    throw error
  })
  await limiter.ready()
}
let running = 0
let most = 0
async function call(number) {
  most = Math.max(most, ++running)
  await new Promise((resolve) => setTimeout(resolve, 5))
  running--
  return number * 2
}
const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
const results = await Promise.all(
  numbers.map((number) => limiters[number % 2].schedule({ expiration: 60_000 }, call, number)),
)
deepEqual(
  results,
  numbers.map((number) => number * 2),
)
equal(most, 2)
equal(await limiters[0].currentReservoir(), 12)
equal(await limiters[1].done(), 8)
done()
