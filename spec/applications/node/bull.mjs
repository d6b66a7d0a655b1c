/** bull: jobs of which one fails once, a delayed one, one with priority, counts. */
import { deepEqual } from 'node:assert/strict'
import Queue from 'bull'
import { database, done, host, port } from './server.mjs'

const queue = new Queue('sums', { redis: { host, port, db: database } })
let isFirst = true
queue.process(3, async ({ data: { number } }) => {
  if (number === 3 && isFirst) {
    isFirst = false
    throw new Error('not the first time')
  }
  return number * 2
})
const jobs = [
  await queue.add({ number: 1 }),
  await queue.add({ number: 2 }, { priority: 1 }),
  await queue.add({ number: 3 }, { attempts: 2 }),
  await queue.add({ number: 4 }, { delay: 50 }),
  ...(await queue.addBulk([5, 6].map((number) => ({ data: { number } })))),
]
deepEqual(await Promise.all(jobs.map((job) => job.finished())), [2, 4, 6, 8, 10, 12])
const { completed, failed, waiting } = await queue.getJobCounts()
deepEqual({ completed, failed, waiting }, { completed: 6, failed: 0, waiting: 0 })
await queue.pause()
await queue.resume()
if (process.env.WITH === 'empty') await queue.empty()
done()
