/** Reloads of a pool that is a Redis Cluster, becomes one, or is one no more, under load. */
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  startAmbassadorFor,
} from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'

/** More than one for each slot range, so that all masters are in use. */
const KEYS = Array.from({ length: 30 }, (_, at) => `key:${at}`)
const RELOADS = 10

describe('a reload of a cluster', () => {
  let cluster: Cluster
  let other: Cluster

  before(async () => {
    ;[cluster, other] = await Promise.all([startCluster(), startCluster()])
  })

  beforeEach(async () => {
    for (const server of [...cluster.servers, ...other.servers]) await server.ask('FLUSHALL')
  })

  after(async () => {
    await Promise.all([cluster.stop(), other.stop()])
  })

  function flags(...servers: readonly ClusterServer[]): Record<string, string> {
    return { shards: `redis+cluster://${servers.map(({ address }) => address).join()}` }
  }

  async function start(options: Record<string, string>): Promise<AmbassadorUnderTest> {
    return startAmbassadorFor([], options)
  }

  /** Reloads these in turns while clients count. Resolves with what each key has been counted to. */
  async function reloadUnderLoad(
    ambassador: AmbassadorUnderTest,
    turns: readonly Record<string, string>[],
  ): Promise<number[]> {
    const clients = await Promise.all(KEYS.map(() => ambassador.connect()))
    const counts = KEYS.map(() => 0)
    const errors: string[] = []
    let isOver = false
    const done = clients.map(async (client, at) => {
      while (!isOver)
        for (const reply of await pipeline(client, KEYS[at] as string)) note(reply, at)
    })
    const note = (reply: string, at: number): void => {
      if (reply.startsWith(':')) counts[at] = (counts[at] as number) + 1
      else errors.push(reply)
    }
    for (let reload = 0; reload < RELOADS; reload++) {
      const before = [...counts]
      await until(() => counts.every((count, at) => count > (before[at] as number)))
      ambassador.reload(configFor([], turns[reload % turns.length]))
    }
    const before = [...counts]
    await until(() => counts.every((count, at) => count > (before[at] as number) + 20))
    isOver = true
    await Promise.all(done)
    expect(errors).to.deep.equal([])
    return counts
  }

  async function pipeline(client: RawClient, key: string): Promise<string[]> {
    const replies = Array.from({ length: 10 }, () => client.request('INCR', key))
    return (await Promise.all(replies)).map(String)
  }

  /** Ids of connections over which the ambassador sends what clients ask. */
  async function connections({ servers }: Cluster): Promise<string[]> {
    const ids: string[] = []
    for (const server of servers) {
      const list = await server.text('CLIENT', 'LIST')
      for (const [, id] of list.matchAll(/^id=(\d+) .* cmd=(?:incr|get) /gm))
        ids.push(`${server.address} ${id}`)
    }
    return ids
  }

  async function counted(ambassador: AmbassadorUnderTest): Promise<number[]> {
    const client = await ambassador.connect()
    const counts: number[] = []
    for (const key of KEYS) counts.push(numberIn(await client.request('GET', key)))
    return counts
  }

  function numberIn(reply: Buffer): number {
    return Number(/\r\n(\d+)\r\n/.exec(reply.toString())?.[1] ?? 0)
  }

  const [SAME, LESS] = ['the same seeds', 'other seeds of the same cluster']
  for (const name of [SAME, LESS]) {
    it(`with ${name} costs nothing and keeps connections`, async () => {
      const [first, second] = cluster.servers as [ClusterServer, ClusterServer]
      const ambassador = await start(flags(first))
      const client = await ambassador.connect()
      for (const key of KEYS) await client.request('INCR', key)
      const before = await connections(cluster)
      expect(before).to.have.length(3)
      const turns = name === SAME ? [flags(first)] : [flags(second, first), flags(first)]
      const counts = await reloadUnderLoad(ambassador, turns)
      expect(await counted(ambassador)).to.deep.equal(counts.map((count) => count + 1))
      await client.request('INCR', 'key:0')
      expect(await connections(cluster)).to.include.members(before)
      await ambassador.stop()
    })
  }

  it('with seeds of another cluster goes there, and costs nothing (row 118)', async () => {
    const ambassador = await start(flags(...cluster.servers))
    const turns = [flags(...other.servers), flags(...cluster.servers)]
    const counts = await reloadUnderLoad(ambassador, turns)
    const inFirst = await counted(ambassador)
    ambassador.reload(configFor([], turns[0]))
    await until(async () => (await counted(ambassador)).some((count, at) => count !== inFirst[at]))
    const inSecond = await counted(ambassador)
    expect(inFirst.map((count, at) => count + (inSecond[at] as number))).to.deep.equal(counts)
    await ambassador.stop()
  })

  it('with another user costs nothing', async () => {
    for (const server of cluster.servers) {
      await server.ask('ACL', 'SETUSER', 'other', 'on', '>hunter2', '~*', '&*', '+@all')
    }
    const ambassador = await start(flags(...cluster.servers))
    const as = `redis+cluster://other:hunter2@${cluster.addresses}`
    const counts = await reloadUnderLoad(ambassador, [{ shards: as }, flags(...cluster.servers)])
    expect(await counted(ambassador)).to.deep.equal(counts)
    await ambassador.stop()
  })

  it('from a cluster to a ring and back costs nothing', async () => {
    const redises = await Promise.all([startRedis(), startRedis()])
    const ring = { shards: redises.map(({ port }, at) => `s${at}=127.0.0.1:${port}`).join() }
    const ambassador = await start(flags(...cluster.servers))
    const counts = await reloadUnderLoad(ambassador, [ring, flags(...cluster.servers)])
    const inCluster = await counted(ambassador)
    ambassador.reload(configFor([], ring))
    const inRing = await counted(ambassador)
    expect(inCluster.map((count, at) => count + (inRing[at] as number))).to.deep.equal(counts)
    await ambassador.stop()
    await Promise.all(redises.map((redis) => redis.stop()))
  })
})
