/** Two real applications of the client libraries: a job queue and a session store. */
import { Queue, QueueEvents, Worker } from 'bullmq'
import { expect } from 'chai'
import { RedisStore } from 'connect-redis'
import { openNodeRedis } from '../support/clients.ts'
import { shareShards, TOPOLOGIES, type TopologyName } from '../support/shared-shards.ts'

const JOBS = 200

for (const topology of TOPOLOGIES) {
  describe(`an application in front of ${topology}`, () => applicationsWork(topology))
}

function applicationsWork(topology: TopologyName): void {
  const shards = shareShards(topology)

  it('bullmq runs jobs: scripts, blocking pops, streams and transactions', async () => {
    const connection = {
      host: '127.0.0.1',
      port: shards.ambassador.port,
      maxRetriesPerRequest: null,
    }
    // A job moves between lists in one step, so all keys of the queue must be on one shard.
    const options = { connection, prefix: '{bull}' }
    const queue = new Queue<{ number: number }>('jobs', options)
    // Each job that is waited for listens to the queue's end.
    queue.setMaxListeners(0)
    const events = new QueueEvents('jobs', options)
    await events.waitUntilReady()
    const seen = new Map<number, number>()
    const failedOnce = new Set<number>()
    const worker = new Worker<{ number: number }>(
      'jobs',
      async ({ data: { number } }) => {
        if (number % 10 === 0 && !failedOnce.has(number)) {
          failedOnce.add(number)
          throw new Error('not the first time')
        }
        seen.set(number, (seen.get(number) ?? 0) + 1)
        return number * 2
      },
      { ...options, concurrency: 10 },
    )
    const numbers = Array.from({ length: JOBS }, (_, number) => number)
    const added = await queue.addBulk(
      numbers.map((number) => ({ name: 'double', data: { number }, opts: { attempts: 2 } })),
    )
    const delayed = await queue.add('double', { number: JOBS + 1 }, { delay: 50 })
    const results = await Promise.all(
      [...added, delayed].map((job) => job.waitUntilFinished(events)),
    )
    expect(results).to.deep.equal([...numbers.map((number) => number * 2), JOBS * 2 + 2])
    expect([...seen.values()].filter((times) => times !== 1)).to.deep.equal([])
    expect(failedOnce.size).to.equal(JOBS / 10)
    const { completed, failed, waiting } = await queue.getJobCounts()
    expect({ completed, failed, waiting }).to.deep.equal({
      completed: JOBS + 1,
      failed: 0,
      waiting: 0,
    })
    await worker.close()
    await events.close()
    await queue.obliterate({ force: true })
    await queue.close()
  })

  it('connect-redis keeps sessions on all shards, lists and clears them', async () => {
    const client = await openNodeRedis(shards.ambassador.port)
    const store = new RedisStore({ client, prefix: 'session:', ttl: 1000 })
    const ids = Array.from({ length: 300 }, (_, i) => `id${i}`)
    const cookie = { originalMaxAge: null }
    for (const id of ids) await store.set(id, { cookie, user: id } as never)
    expect(await store.get('id7')).to.deep.equal({ cookie, user: 'id7' })
    await store.touch('id7', { cookie } as never)
    expect(await store.length()).to.equal(300)
    expect(new Set(await store.ids())).to.deep.equal(new Set(ids))
    expect((await store.all()).length).to.equal(300)
    await store.destroy('id7')
    expect(await store.get('id7')).to.equal(null)
    await store.clear()
    expect(await store.length()).to.equal(0)
    await client.close()
  })
}
