/** node-resque: a worker of two queues, a scheduler, a delayed job, one that fails, counts. */
import { deepEqual, equal } from 'node:assert/strict'
import { once } from 'node:events'
import { Queue, Scheduler, Worker } from 'node-resque'
import { database, done, host, port } from './server.mjs'

const connection = { pkg: 'ioredis', host, port, database }
const jobs = {
  double: { perform: async (number) => number * 2 },
  fail: { perform: async () => Promise.reject(new Error('as it should')) },
}
const timeout = 20
const worker = new Worker({ connection, queues: ['high', 'low'], timeout }, jobs)
const scheduler = new Scheduler({ connection, timeout })
const queue = new Queue({ connection }, jobs)
const broken = (error) => {
  throw error
}
for (const part of [worker, scheduler, queue]) part.on('error', broken)
const results = []
const failures = []
worker.on('success', (_queue, _job, result) => results.push(result))
worker.on('failure', (_queue, { class: name }) => failures.push(name))

await queue.connect()
await queue.enqueue('high', 'double', [1])
await queue.enqueue('low', 'double', [2])
await queue.enqueue('low', 'fail', [])
await queue.enqueueIn(10, 'low', 'double', [3])
await scheduler.connect()
await scheduler.start()
await worker.connect()
await worker.start()
while (results.length < 3 || failures.length < 1) {
  await Promise.race([once(worker, 'success'), once(worker, 'failure')])
}
deepEqual(results.sort(), [2, 4, 6])
deepEqual(failures, ['fail'])
equal(await queue.failedCount(), 1)
deepEqual((await queue.queues()).sort(), ['high', 'low'])
const { processed, failed } = await queue.stats()
deepEqual({ processed, failed }, { processed: '3', failed: '1' })
await worker.end()
await scheduler.end()
deepEqual(await queue.workers(), {})
done()
