// From nutcracker to the ambassador and back under load, twice: by moving the app to another port, and
// by taking nutcracker's port over. README.md beside this file says how to run it.
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Load } from './load.js'
import {
  freePort,
  startAmbassador,
  startNutcracker,
  startRedis,
  writeConfiguration,
} from './servers.js'

/** How long each phase lasts, seconds. */
const SECONDS = Number(process.argv[2] ?? 3)
if (!(SECONDS > 0)) throw new Error('usage: rehearse.js [SECONDS of each phase]')

const print = (text) => process.stdout.write(`${text}\n`)

const shards = [await startRedis(), await startRedis(), await startRedis()]
const [port, otherPort] = [await freePort(), await freePort()]
const config = writeConfiguration(port, shards)
let nutcracker = await startNutcracker(config, port)
const load = new Load(port)
const finished = load.run()
let wrong = 0

/** Does something while the app goes on, lets it go on for a while, and reports. */
async function phase(name, action = async () => {}) {
  await action()
  await delay(SECONDS * 1000)
  // A short phase on a slow machine is no rehearsal before everybody had a turn.
  for (let i = 0; i < 300 && !load.hasWorked; i++) await delay(100)
  const figures = load.takeFigures()
  wrong += figures.wrong
  const cells = [
    figures.reads,
    figures.writes,
    figures.wrong,
    figures.errors,
    Math.round(figures.pauseMs),
  ]
  print(line(name, cells))
}

function line(name, cells) {
  return name.padEnd(42) + cells.map((cell) => cell.toLocaleString('en').padStart(9)).join('')
}

print(line('', ['reads', 'writes', 'wrong', 'errors', 'pause ms']))
await phase('nutcracker')

let ambassador
await phase('app moves to the ambassador beside it', async () => {
  ambassador = await startAmbassador(config, otherPort)
  await load.moveTo(otherPort)
})
await phase('ambassador')
await phase('app moves back', async () => {
  await load.moveTo(port)
  await ambassador.stop()
})

await phase('ambassador takes the port over', async () => {
  await nutcracker.stop()
  ambassador = await startAmbassador(config, port)
})
await phase('ambassador')
await phase('nutcracker takes it back', async () => {
  await ambassador.stop()
  nutcracker = await startNutcracker(config, port)
})

load.stop()
await finished
const misplaced = await countMisplaced()
print('')
print(`${wrong} wrong reads; ${misplaced} of ${load.keys.length} keys on more than one shard`)
for (const server of [nutcracker, ...shards]) await server.stop()
process.exitCode = wrong + misplaced === 0 ? 0 : 1

/** Had the two disagreed about a key, both would have written it, each on another shard. */
async function countMisplaced() {
  const clients = shards.map((shard) => new Redis({ port: shard.port }))
  let count = 0
  for (const key of load.keys) {
    const found = await Promise.all(clients.map((client) => client.exists(key)))
    if (found.filter((exists) => exists === 1).length > 1) count++
  }
  for (const client of clients) client.disconnect()
  return count
}
