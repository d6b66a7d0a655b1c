/** bee-queue: jobs of which one fails once, results as events, counts. */
import { deepEqual } from 'node:assert/strict'
import Queue from 'bee-queue'
import { database, done, host, port } from './server.mjs'

const redis = { host, port, db: database }
const queue = new Queue('sums', { redis, activateDelayedJobs: true })
let isFirst = true
queue.process(3, async ({ data: { number } }) => {
  if (number === 3 && isFirst) {
    isFirst = false
    throw new Error('not the first time')
  }
  return number * 2
})
async function finished(job) {
  const result = new Promise((resolve) => job.on('succeeded', resolve))
  await job.save()
  return result
}
const plain = [1, 2].map((number) => finished(queue.createJob({ number })))
const retried = finished(queue.createJob({ number: 3 }).retries(1))
const delayed = finished(queue.createJob({ number: 4 }).delayUntil(Date.now() + 50))
deepEqual(await Promise.all([...plain, retried, delayed]), [2, 4, 6, 8])
const { succeeded, failed, waiting } = await queue.checkHealth()
deepEqual({ succeeded, failed, waiting }, { succeeded: 4, failed: 0, waiting: 0 })
done()
