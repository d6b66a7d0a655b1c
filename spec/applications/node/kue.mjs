/** kue: jobs of two types of which one fails once, a delayed one, counts. */
import { deepEqual } from 'node:assert/strict'
import { promisify } from 'node:util'
import kue from 'kue'
import { database, done, host, port } from './server.mjs'

const queue = kue.createQueue({ redis: { host, port, db: database } })
let isFirst = true
function work({ data: { number } }, end) {
  if (number === 3 && isFirst) {
    isFirst = false
    end(new Error('not the first time'))
  } else end(null, number * 2)
}
queue.process('double', 2, work)
queue.process('twice', work)
function finished(job) {
  return new Promise((resolve, reject) => {
    job.on('complete', resolve)
    job.save((error) => error && reject(error))
  })
}
const results = await Promise.all([
  finished(queue.create('double', { number: 1 })),
  finished(queue.create('twice', { number: 2 }).priority('high')),
  finished(queue.create('double', { number: 3 }).attempts(2)),
  finished(queue.create('double', { number: 4 }).delay(50)),
])
deepEqual(results, [2, 4, 6, 8])
const count = (state) => promisify(queue[state]).call(queue)
deepEqual(
  await Promise.all(['completeCount', 'inactiveCount', 'failedCount'].map(count)),
  [4, 0, 0],
)
await promisify(queue.shutdown).call(queue, 5000)
done()
