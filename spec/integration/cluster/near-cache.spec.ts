/** The near-cache over the slots of a real cluster that move. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

const KEY = '{near}key'
const ABSENT = '{near}absent'
const OLD = '$3\r\nold\r\n'
const NEW = '$3\r\nnew\r\n'

/** The map is not asked for: what the near-cache learns of slots it learns by itself. */
const FLAGS = {
  nearCacheKeys: '{near},other:',
  nearCacheStaleMs: '400',
  topologyRefreshMs: '600000',
}

for (const protocol of [2, 3] as const) {
  describe(`near-cache over a cluster in RESP${protocol}`, () => {
    let cluster: Cluster
    let ambassador: AmbassadorUnderTest
    /** Another way to the cluster, without a near-cache. */
    let others: AmbassadorUnderTest
    let client: RawClient
    let other: RawClient
    const absent = protocol === 2 ? '$-1\r\n' : '_\r\n'

    before(async () => {
      cluster = await startCluster({ masters: 3, replicas: 1 })
    })

    after(() => cluster.stop())

    beforeEach(async () => {
      ambassador = await startAmbassadorForCluster(cluster.addresses, FLAGS)
      others = await startAmbassadorForCluster(cluster.addresses)
      client = await ambassador.connect(protocol)
      other = await others.connect()
      await other.request('DEL', ABSENT)
      await other.request('SET', KEY, 'old')
    })

    afterEach(async () => {
      await ambassador.stop()
      await others.stop()
    })

    async function hits(): Promise<number> {
      const facts = `${await client.request('AMBASSADOR', 'STATS')}`
      return Number(/near_cache_hits\r\n:(\d+)/.exec(facts)?.[1])
    }

    /** Reads until it is answered from memory. */
    async function warm(...words: string[]): Promise<string> {
      const before = await hits()
      let reply = ''
      await until(async () => {
        reply = `${await client.request(...words)}`
        return (await hits()) > before
      })
      return reply
    }

    async function elsewhere(): Promise<ClusterServer> {
      await cluster.settled()
      const owner = await cluster.ownerOfKey(KEY)
      return (await cluster.masters()).find((each) => each !== owner) as ClusterServer
    }

    const sees = async (key: string, reply: string): Promise<void> => {
      await until(async () => `${await client.request('GET', key)}` === reply)
    }

    it('answers from memory, and what clients write is seen at once', async () => {
      expect(await warm('GET', KEY)).to.equal(OLD)
      expect(await warm('MGET', KEY, ABSENT)).to.equal(`*2\r\n${OLD}${absent}`)
      const writer = await ambassador.connect()
      await writer.request('SET', KEY, 'new')
      expect(`${await client.request('GET', KEY)}`).to.equal(NEW)
    })

    it('answers MGET of several slots, from memory when it has all keys', async () => {
      const keys = Array.from({ length: 6 }, (_, at) => `other:${at}`)
      for (const key of keys) await other.request('SET', key, 'old')
      expect(await warm('MGET', ...keys)).to.equal(`*6\r\n${OLD.repeat(6)}`)
    })

    it('forgets that a key is absent when another node gets it (row 115)', async () => {
      expect(await warm('GET', ABSENT)).to.equal(absent)
      const slot = await cluster.slotOf(KEY)
      const open = await cluster.openSlot(slot, await elsewhere())
      await other.request('SET', ABSENT, 'new')
      await sees(ABSENT, NEW)
      await open.finish()
      await sees(ABSENT, NEW)
    })

    it('keeps nothing of a slot that has moved, and moves back', async () => {
      expect(await warm('GET', KEY)).to.equal(OLD)
      const from = await cluster.ownerOfKey(KEY)
      const slot = await cluster.slotOf(KEY)
      await cluster.moveSlot(slot, await elsewhere())
      await other.request('SET', KEY, 'new')
      await sees(KEY, NEW)
      expect(await warm('GET', KEY)).to.equal(NEW)
      await cluster.settled()
      await cluster.moveSlot(slot, from)
      await other.request('SET', KEY, 'old')
      await sees(KEY, OLD)
    })

    it('keeps nothing of a master that is one no more (row 116)', async () => {
      expect(await warm('GET', KEY)).to.equal(OLD)
      await cluster.failOver(await cluster.ownerOfKey(KEY))
      await other.request('SET', KEY, 'new')
      await sees(KEY, NEW)
      await cluster.settled()
    })

    it('answers each of several reads that share a reply, in its order, when their slot has moved', async () => {
      const slot = await cluster.slotOf(KEY)
      const readers = await Promise.all(
        Array.from({ length: 8 }, () => ambassador.connect(protocol)),
      )
      for (let round = 0; round < 4; round++) {
        await warm('GET', KEY)
        await cluster.moveSlot(slot, await elsewhere())
        const value = `v${round}`
        await other.request('SET', KEY, value)
        await sees(KEY, `$2\r\n${value}\r\n`)
        const replies = readers.map(async (reader) => {
          const asked = [['GET'], ['APPEND', 'x'], ['STRLEN']].map(([name = '', ...rest]) => {
            return reader.request(name, KEY, ...rest)
          })
          return (await Promise.all(asked)).map(String)
        })
        for (const [value, appended, length] of await Promise.all(replies)) {
          expect(value).to.match(/^\$/)
          expect(Number(length?.slice(1))).to.be.at.least(Number(appended?.slice(1)))
        }
      }
    })
  })
}
