/**
 * Row 86: clients that talk in any order hear through the ambassador what a plain Redis tells them,
 * byte for byte. Two clients hold random conversations full of states (transactions, watched keys,
 * protocols, logins, subscriptions, waits, scripts, replies that are not wanted), cut anywhere.
 *
 * `SPEC_SEED` repeats a conversation, `SPEC_CONVERSATIONS` says how many to hold.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startShards } from '../support/ambassador.ts'
import { specSeed } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { makeConversation, type Turn } from './conversation.ts'
import { SETTINGS } from './settings.ts'
import { shrink } from './shrink.ts'
import { Stage } from './stage.ts'

const CONVERSATIONS = Number(process.env['SPEC_CONVERSATIONS'] ?? 25)

/** How long a reply may take, ms, where it must come; and while a failure is made smaller. */
const PATIENCE_MS = 20_000
const IMPATIENCE_MS = 500

/** So many clients come first, that the numbers of those in conversations are no other numbers. */
const EARLIER_CLIENTS = 200

const KEYS = ['s1', 's2', 's3', 'l1', 'l2', 'h', 'x', 'z', 'q']

for (const setting of SETTINGS) {
  const { shards, password, flags, redisArgs, shardArgs, vocabulary, exceptions } = setting

  describe(`conversations through ${setting.name}`, () => {
    let plain: RedisServer
    let ambassador: AmbassadorUnderTest
    let stop: () => Promise<void>
    let stage: Stage

    before(async () => {
      plain = await startRedis({ args: redisArgs })
      const started = await startShards(shards, flags, shardArgs)
      ambassador = started.ambassador
      stop = started.stop
      for (const port of [plain.port, ambassador.port]) await comeAndGo(port, EARLIER_CLIENTS)
      stage = await Stage.open({
        plain: { port: plain.port, dataPorts: [plain.port], password, dataPassword: password },
        ours: {
          port: ambassador.port,
          dataPorts: started.redises.map(({ port }) => port),
          password,
          dataPassword: flags['shardPassword'],
        },
        keys: KEYS.map((key) => `${vocabulary.tag}${key}`),
        waitingRoom: `${vocabulary.tag}q`,
        exceptions,
        quiet,
      })
    })

    after(async () => {
      await stage.close()
      await stop()
      await plain.stop()
    })

    /** Until only the observer is left. */
    async function quiet(): Promise<void> {
      await until(() => {
        const { clients, inFlight, leases, topics } = ambassador.gauges
        return clients === 1 && inFlight + leases + topics === 0
      })
    }

    it('are heard as a plain Redis would be (row 86)', async () => {
      const firstSeed = specSeed()
      for (let i = 0; i < CONVERSATIONS; i++) {
        const seed = (firstSeed + i) >>> 0
        const turns = makeConversation(seed, vocabulary)
        const difference = await stage.differenceOf(turns, PATIENCE_MS)
        if (difference !== undefined) await report(seed, turns, difference)
      }
    })

    async function report(seed: number, turns: readonly Turn[], difference: string): Promise<void> {
      const again = (candidate: readonly Turn[]) => stage.differenceOf(candidate, IMPATIENCE_MS)
      const smallest = await shrink(turns, async (each) => (await again(each)) !== undefined)
      const [first] = difference.split('\n')
      expect.fail(`SPEC_SEED=${seed}: ${first}\nmade smaller: ${await again(smallest)}`)
    }
  })
}

async function comeAndGo(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await (await connectRaw(port)).close()
}
