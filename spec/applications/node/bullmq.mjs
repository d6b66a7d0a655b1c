/** bullmq: jobs of which some fail once, delayed ones, several workers, a flow of parent and children. */
import { deepEqual, equal } from 'node:assert/strict'
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq'
import { database, done, host, port } from './server.mjs'

const connection = { host, port, db: database, maxRetriesPerRequest: null }
const queue = new Queue('sums', { connection })
queue.setMaxListeners(0)
const events = new QueueEvents('sums', { connection })
await events.waitUntilReady()

const failed = new Set()
async function work({ data: { number }, name }) {
  if (name === 'fails once' && !failed.has(number)) {
    failed.add(number)
    throw new Error('not the first time')
  }
  return number * 2
}
const workers = [1, 2].map(() => new Worker('sums', (job) => work(job), { connection }))

const retry = { attempts: 2, backoff: { type: 'fixed', delay: 20 } }
const jobs = [
  ...(await queue.addBulk([1, 2, 3].map((number) => ({ name: 'plain', data: { number } })))),
  await queue.add('fails once', { number: 4 }, retry),
  await queue.add('later', { number: 5 }, { delay: 50 }),
  await queue.add('first', { number: 6 }, { priority: 1 }),
]
const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
deepEqual(results, [2, 4, 6, 8, 10, 12])

const flow = new FlowProducer({ connection })
const { job } = await flow.add({
  name: 'parent',
  queueName: 'sums',
  data: { number: 10 },
  children: [7, 8].map((number) => ({ name: 'child', queueName: 'sums', data: { number } })),
})
equal(await job.waitUntilFinished(events), 20)
deepEqual(Object.values(await job.getChildrenValues()).sort(), [14, 16])
const { completed, failed: lost, waiting } = await queue.getJobCounts()
deepEqual({ completed, lost, waiting }, { completed: 9, lost: 0, waiting: 0 })
for (const worker of workers) await worker.close()
await queue.obliterate({ force: true })
done()
