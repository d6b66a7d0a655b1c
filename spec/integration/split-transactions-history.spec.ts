/**
 * Split transactions of many clients while connections to the shards are cut at any step: what was answered
 * is on every shard, what was aborted is on none, and what may have executed is whole on each shard.
 */
import { expect } from 'chai'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { shareShards, TOPOLOGIES } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const CLIENTS = 8
const ROUNDS = 40
/** On all shards, each list with two pushes of a transaction, which must be there both or not at all. */
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']

/** What a client was told about its transaction. */
type Told = 'executed' | 'not executed' | 'may have executed'

function pushesOf(id: string): string[] {
  return [...KEYS, ...KEYS].map((key) => `RPUSH ${key} ${id}`)
}

function told(replies: readonly string[]): Told {
  const exec = replies.at(-1) ?? ''
  if (exec.startsWith(`*${2 * KEYS.length}\r\n`)) return 'executed'
  if (exec.includes('(may have executed)')) return 'may have executed'
  expect(exec).to.match(/^-EXECABORT |\((?:not sent|not executed)\)\r\n$/)
  return 'not executed'
}

for (const topology of TOPOLOGIES) {
  describe(`the history of split transactions over ${topology}`, () => {
    const shards = shareShards(topology, { transactions: 'split' })

    it('row 101: agrees with what clients were told while connections are cut', async () => {
      const outcomes = new Map<string, Told>()
      const cutters = await Promise.all(shards.redises.map(({ port }) => connectRaw(port)))
      const cuts: Promise<unknown>[] = []
      async function run(name: number): Promise<void> {
        const client = await shards.ambassador.connect()
        for (let round = 0; round < ROUNDS; round++) {
          const id = `${name}-${round}`
          const replies = send(client, 'MULTI', ...pushesOf(id), 'EXEC')
          const cutter = cutters[(name + round) % (8 * cutters.length)]
          if (cutter !== undefined) cuts.push(cutter.request('CLIENT', 'KILL', 'TYPE', 'normal'))
          const outcome = told(await replies)
          outcomes.set(id, outcome)
          if (outcome !== 'executed') await untilServed(client)
        }
      }
      await Promise.all(Array.from({ length: CLIENTS }, (_, name) => run(name)))
      await Promise.all(cuts)
      for (const cutter of cutters) await cutter.close()
      await untilExecuted(outcomes)
      await compare(outcomes)
    })

    /** All is well again once nothing is cut. */
    async function untilExecuted(outcomes: Map<string, Told>): Promise<void> {
      const client = await shards.ambassador.connect()
      let attempt = 0
      await until(async () => {
        const id = `${CLIENTS}-${attempt++}`
        const outcome = told(await send(client, 'MULTI', ...pushesOf(id), 'EXEC'))
        outcomes.set(id, outcome)
        return outcome === 'executed'
      })
    }

    async function untilServed(client: RawClient): Promise<void> {
      await until(
        async () => (await send(client, `MGET ${KEYS.join(' ')}`))[0]?.startsWith('*') === true,
      )
    }

    async function compare(outcomes: ReadonlyMap<string, Told>): Promise<void> {
      const client = await shards.ambassador.connect()
      await untilServed(client)
      const lists = new Map<string, string[]>()
      for (const key of KEYS) {
        const reply = (await client.request('LRANGE', key, '0', '-1')).toString()
        lists.set(
          key,
          reply.split('\r\n').filter((line) => /^\d+-\d+$/.test(line)),
        )
      }
      for (const [id, outcome] of outcomes) {
        const counts = KEYS.map((key) => lists.get(key)?.filter((each) => each === id).length)
        const label = `${id}: ${outcome}, ${counts}`
        if (outcome === 'executed')
          expect(
            counts.every((count) => count === 2),
            label,
          ).to.equal(true)
        else if (outcome === 'not executed')
          expect(
            counts.every((count) => count === 0),
            label,
          ).to.equal(true)
        else
          expect(
            counts.every((count) => count === 0 || count === 2),
            label,
          ).to.equal(true)
      }
    }
  })
}
