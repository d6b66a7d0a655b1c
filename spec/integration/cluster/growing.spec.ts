/** A real cluster that grows and shrinks while clients count on keys all over it. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { until } from '../../support/until.ts'

const CLIENTS = 8
const KEYS = 120
/** Slots, each with a key of the load, that a new master gets. */
const SLOTS_EACH = 15

describe('a cluster that grows from three masters to five and shrinks to three', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest

  before(async () => {
    // A master that has given its last slot away would become a replica before it is removed.
    const serverArgs = ['--cluster-allow-replica-migration', 'no']
    cluster = await startCluster({ masters: 3, serverArgs })
    ambassador = await startAmbassadorForCluster(cluster.addresses)
  })

  after(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  /** Counts until the function returned is called, which resolves with what was acknowledged by key. */
  async function load() {
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => ambassador.connect()))
    const counts = new Map<string, number>()
    const errors: string[] = []
    const requests = clients.map(() => 0)
    let isOver = false
    const done = clients.map(async (client, at) => {
      for (let i = 0; !isOver; i++) {
        const key = `key:${(i * 7 + at) % KEYS}`
        const reply = (await client.request('INCR', key)).toString()
        if (reply.startsWith(':')) counts.set(key, (counts.get(key) ?? 0) + 1)
        else errors.push(reply)
        requests[at] = i
      }
    })
    /** Nothing is under way any more that was sent before the call. */
    const others = async (): Promise<void> => {
      const before = [...requests]
      await until(() => requests.every((count, at) => count > (before[at] ?? 0) + 1))
    }
    const stop = async () => {
      isOver = true
      await Promise.all(done)
      return { counts, errors }
    }
    return { others, stop }
  }

  async function give(to: ClusterServer, from: number): Promise<void> {
    for (let at = from; at < from + SLOTS_EACH; at++) {
      await cluster.moveSlot(await cluster.slotOf(`key:${at}`), to)
      await cluster.settled()
    }
  }

  it('costs no error and loses no write', async () => {
    const [heir] = (await cluster.masters()) as [ClusterServer]
    const client = await ambassador.connect()
    const { others, stop } = await load()
    const added = [await cluster.addMaster(), await cluster.addMaster()]
    for (const [at, each] of added.entries()) await give(each, at * SLOTS_EACH)
    expect(await cluster.masters()).to.have.length(5)
    for (const [at, each] of added.entries()) {
      await give(heir, at * SLOTS_EACH)
      await until(async () => {
        const shards = await client.request('AMBASSADOR', 'SHARDS')
        return !shards.toString().includes(each.address)
      })
      await others()
      await cluster.removeMaster(each, heir)
    }
    const { counts, errors } = await stop()
    expect(errors).to.deep.equal([])
    for (const [key, count] of counts) {
      expect((await client.request('GET', key)).toString(), key).to.contain(`\r\n${count}\r\n`)
    }
  })
})
