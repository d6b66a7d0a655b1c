/** agenda with its Redis backend: jobs for now, for later and again and again. */
import { deepEqual, equal } from 'node:assert/strict'
import { RedisBackend } from '@agendajs/redis-backend'
import { Agenda } from 'agenda'
import { done, url } from './server.mjs'

const agenda = new Agenda({
  backend: new RedisBackend({ connectionString: url }),
  processEvery: 100,
})
await agenda.ready
const seen = { now: [], later: [], often: [] }
let wake = () => {}
for (const name of Object.keys(seen)) {
  agenda.define(name, async ({ attrs: { data } }) => {
    seen[name].push(data.number)
  })
}
const fails = []
agenda.on('fail', (error) => fails.push(error))
agenda.on('complete', () => wake())
await agenda.start()
await agenda.now('now', { number: 1 })
await agenda.schedule(new Date(Date.now() + 200), 'later', { number: 2 })
await agenda.every('1 second', 'often', { number: 3 })
while (seen.now.length < 1 || seen.later.length < 1 || seen.often.length < 2) {
  await new Promise((resolve) => {
    wake = resolve
  })
}
deepEqual(fails, [])
deepEqual([seen.now, seen.later, seen.often.slice(0, 2)], [[1], [2], [3, 3]])
const { jobs } = await agenda.queryJobs({ name: 'often' })
equal(jobs.length, 1)
await agenda.cancel({ name: 'often' })
await agenda.stop()
done()
