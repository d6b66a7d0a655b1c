/**
 * A program of its own, since it needs `--expose-gc`: reloads an ambassador in front of the Redis servers
 * on the ports given, while clients of each kind are connected, and prints the heap in use without compiled
 * code, in bytes, after the first reloads and the least of some looks after the last.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { getHeapSpaceStatistics } from 'node:v8'
import { startAmbassador } from '../../lib/ambassador.ts'
import { AmbassadorUnderTest, configFor, SILENT } from '../support/ambassador.ts'

/** By then all code has run that will, and V8 holds what it keeps for it. */
const FIRST_RELOADS = 100
const RELOADS = 500
/** What V8 holds for a while is not there each time that one looks; what leaks is. */
const LAST_LOOKS = 5
const RELOADS_FOR_A_LOOK = 10
/** A client that connects in each so many generations stays, and says nothing more. */
const RELOADS_FOR_A_CLIENT = 50

const shards = process.argv.slice(2).map((port) => ({ port: Number(port) }))
// The last shard comes and goes, all else is about options.
const staying = shards.slice(0, -1)
const configs = [
  configFor(staying, { slowRequestMs: '7' }),
  configFor(staying, { ejectShards: 'yes' }),
  configFor(shards, { ejectShards: 'yes' }),
  configFor(shards, { hash: 'murmur' }),
]
const ambassador = new AmbassadorUnderTest(await startAmbassador(configFor(staying), SILENT))

/** In the middle of something that no reload ends. */
async function startClients(): Promise<void> {
  const [blocked, watching, queueing] = [
    await ambassador.connect(),
    await ambassador.connect(),
    await ambassador.connect(3),
  ] as const
  blocked.write('BLPOP memory:queue 0\r\n')
  await watching.request('WATCH', 'memory:watched')
  await queueing.request('MULTI')
  await queueing.request('INCR', 'memory:counter')
  await (await ambassador.connect()).request('SUBSCRIBE', 'memory:news')
}

async function heapInUse(): Promise<number> {
  // What was closed is freed over some turns.
  for (let turns = 0; turns < 50; turns++) await nextTurn()
  for (let collection = 0; collection < 3; collection++) {
    global.gc?.()
    await nextTurn()
  }
  const spaces = getHeapSpaceStatistics().filter(({ space_name: name }) => !/code/.test(name))
  return spaces.reduce((sum, { space_used_size: bytes }) => sum + bytes, 0)
}

let firstBytes = 0
await startClients()
let lastBytes = Number.POSITIVE_INFINITY
for (let reload = 0; reload < RELOADS + LAST_LOOKS * RELOADS_FOR_A_LOOK; reload++) {
  if (reload === FIRST_RELOADS) firstBytes = await heapInUse()
  if (reload >= RELOADS && reload % RELOADS_FOR_A_LOOK === 0) {
    lastBytes = Math.min(lastBytes, await heapInUse())
  }
  if (reload % RELOADS_FOR_A_CLIENT === 0) await (await ambassador.connect()).request('PING')
  ambassador.reload(configs[reload % configs.length] as (typeof configs)[number])
  await nextTurn()
}
process.stdout.write(JSON.stringify({ firstBytes, lastBytes }), () => process.exit(0))
