/** Reads from the replicas of a real cluster, while slots move and servers die. */
import { expect } from 'chai'
import { startAmbassador } from '../../../lib/ambassador.ts'
import { AmbassadorUnderTest, configOfFile, SILENT } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { http } from '../../support/http.ts'
import { LogLines } from '../../support/log-lines.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { startReplicated } from '../../support/replicated.ts'
import { until } from '../../support/until.ts'

/** Keys in slots of their own, all of one master at first. */
const KEYS = 6

describe('reads from the replicas of a cluster', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let log: LogLines
  let reader: RawClient
  let writer: RawClient
  let number = 0

  before(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1 })
  })

  after(() => cluster.stop())

  beforeEach(async () => {
    await cluster.settled()
    log = new LogLines()
    const flags = {
      readFrom: 'prefer-replica',
      requestTimeoutMs: '30000',
      // The map is looked at when there is reason, and at no other time.
      topologyRefreshMs: '600000',
      adminListen: '127.0.0.1:0',
    }
    ambassador = await startAmbassadorForCluster(cluster.addresses, flags, log)
    await until(() => served().length === 3)
    reader = await ambassador.connect()
    writer = await ambassador.connect()
    number++
  })

  afterEach(() => ambassador.stop())

  function served(): readonly unknown[] {
    return log.lines.filter(({ message }) => message === 'replica is read from')
  }

  const bulk = (value: string): string => `$${value.length}\r\n${value}\r\n`

  async function get(key: string, client = reader): Promise<string> {
    return String(await client.request('GET', key))
  }

  /** How many times this server has been asked for GET. */
  async function gets(server: ClusterServer): Promise<number> {
    const [, calls = '0'] =
      /cmdstat_get:calls=(\d+)/.exec(await server.text('INFO', 'commandstats')) ?? []
    return Number(calls)
  }

  async function replicaOf(master: ClusterServer): Promise<ClusterServer> {
    const [replica] = await cluster.replicasOf(master)
    return replica as ClusterServer
  }

  async function page(path: string): Promise<string> {
    return (await http({ port: ambassador.adminPort, path })).body
  }

  async function readsOfReplicas(): Promise<number> {
    const counts = (await page('/metrics')).matchAll(/_replica_reads_total\{.*\} (\d+)/g)
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  /** Resolves when reads of the key go to this replica. */
  async function isReadAt(replica: ClusterServer, key: string): Promise<void> {
    await until(async () => {
      const before = await gets(replica)
      await get(key)
      return (await gets(replica)) > before
    })
  }

  /** Keys of one master, each in a slot of its own, and there. */
  async function keysOn(master: ClusterServer, count = KEYS): Promise<string[]> {
    const keys: string[] = []
    for (let at = 0; at < count; at++) {
      const key = await cluster.keyOn(master, `replicas:${number}:${at}`)
      expect(String(await writer.request('SET', key, key))).to.equal('+OK\r\n')
      keys.push(key)
    }
    return keys
  }

  async function someMaster(): Promise<ClusterServer> {
    return (await cluster.masters())[0] as ClusterServer
  }

  async function otherThan(master: ClusterServer): Promise<ClusterServer> {
    return (await cluster.masters()).find((each) => each !== master) as ClusterServer
  }

  it('are answered there, and what they cannot know is asked of the master', async () => {
    const master = await someMaster()
    const replica = await replicaOf(master)
    const [key = ''] = await keysOn(master, 1)
    await isReadAt(replica, key)
    const atMaster = await gets(master)
    for (let i = 0; i < 5; i++) expect(await get(key)).to.equal(bulk(key))
    expect(await gets(master)).to.equal(atMaster)
    const missing = key.replace('replicas', 'missing')
    const absent = `${missing}{${key}}`
    expect(await get(absent)).to.equal('$-1\r\n')
    expect(await gets(master)).to.equal(atMaster + 1)
    expect(String(await reader.request('MGET', key, absent))).to.equal(`*2\r\n${bulk(key)}$-1\r\n`)
    expect(String(await reader.request('EXISTS', key, absent))).to.equal(':1\r\n')
    expect(await page('/metrics')).to.match(
      new RegExp(`_replica_reads_total\\{[^}]*${master.port}[^}]*\\} [1-9]`),
    )
    expect(String(await reader.request('AMBASSADOR', 'SHARDS'))).to.include(replica.address)
  })

  it('find a key that has gone from an open slot, of which nobody has told (row 123)', async () => {
    const master = await someMaster()
    const keys = await keysOn(master)
    const replica = await replicaOf(master)
    for (const key of keys) await get(key)
    for (const key of keys) await isReadAt(replica, key)
    const to = await otherThan(master)
    for (const [at, key] of keys.entries()) {
      const slot = await cluster.slotOf(key)
      const open = await cluster.openSlot(slot, to)
      await open.moveKeys()
      // The replica has lost it as well.
      await until(async () => (await replica.text('CLUSTER', 'COUNTKEYSINSLOT', `${slot}`)) === '0')
      expect(await get(key), key).to.equal(bulk(key))
      await open.finish()
      if (at % 2 === 0) expect(await get(key), key).to.equal(bulk(key))
    }
    // They have another master now, and are read from its replica.
    for (const key of keys) await get(key)
    for (const key of keys) await isReadAt(await replicaOf(to), key)
  })

  it('go back in time for no session, while slots move and a master hands over', async () => {
    const master = await someMaster()
    const keys = await keysOn(master)
    for (const key of keys) await writer.request('SET', key, '0')
    const readers = await Promise.all([1, 2, 3].map(() => ambassador.connect()))
    const readBefore = await readsOfReplicas()
    let isOver = false
    let reads = 0
    const reading = readers.map(async (client) => {
      const seen = new Map<string, number>()
      while (!isOver) {
        for (const key of keys) {
          const [, text = ''] = (await get(key, client)).split('\r\n')
          const value = Number(text)
          expect(value, `${key}: ${text}`).to.be.at.least(seen.get(key) ?? 0)
          seen.set(key, value)
          reads++
        }
      }
    })
    const writing = (async () => {
      for (let value = 1; !isOver; value++) {
        for (const key of keys) {
          expect(String(await writer.request('SET', key, `${value}`))).to.equal('+OK\r\n')
          expect(await get(key, writer)).to.equal(bulk(`${value}`))
        }
      }
    })()
    const ended = Promise.all([...reading, writing])
    const to = await otherThan(master)
    for (const key of keys.slice(1)) await cluster.moveSlot(await cluster.slotOf(key), to)
    await cluster.settled()
    await cluster.failOver(master)
    await cluster.settled()
    const soFar = reads
    await until(() => reads > soFar + 1000)
    await until(async () => (await readsOfReplicas()) > readBefore)
    isOver = true
    await ended
  })

  it('go to a former master as soon as it follows its heir: no map has it before', async () => {
    const master = await someMaster()
    const [key = ''] = await keysOn(master, 1)
    await isReadAt(await replicaOf(master), key)
    await cluster.failOver(master)
    await isReadAt(master, key)
  })

  it('never go over the connection of another user who is gone', async () => {
    const users = [
      ['alice', '~*'],
      ['bob', '~bob:*'],
    ]
    for (const server of cluster.servers) {
      for (const [name = '', keys = ''] of users) {
        await server.ask('ACL', 'SETUSER', name, 'on', `>${name}`, keys, '&*', '+@all')
      }
    }
    const flags = { readFrom: 'prefer-replica', authPassthrough: 'yes', trustNetwork: 'yes' }
    const other = await startAmbassadorForCluster(cluster.addresses, flags)
    try {
      const master = await someMaster()
      const replica = await replicaOf(master)
      const [key = ''] = await keysOn(master, 1)
      const alice = await other.connect()
      await alice.request('AUTH', 'alice', 'alice')
      await until(async () => {
        const before = await gets(replica)
        expect(await get(key, alice)).to.equal(bulk(key))
        return (await gets(replica)) > before
      })
      await alice.close()
      const bob = await other.connect()
      await bob.request('AUTH', 'bob', 'bob')
      for (let i = 0; i < 20; i++) expect(await get(key, bob)).to.match(/^-NOPERM /)
    } finally {
      await other.stop()
    }
  })

  it('go on at the master when a replica dies', async () => {
    const master = await someMaster()
    const replica = await replicaOf(master)
    const [key = ''] = await keysOn(master, 1)
    await isReadAt(replica, key)
    await replica.kill()
    for (let i = 0; i < 100; i++) expect(await get(key)).to.equal(bulk(key))
    await replica.start()
    await isReadAt(replica, key)
  })

  it('leave a ring beside the cluster to read from its own, whatever the cluster reads from', async () => {
    const ring = await startReplicated(1)
    const config = configOfFile(
      [
        `shards: ["${ring.shard}"]`,
        'readFrom: prefer-replica',
        'pools:',
        `  big: { shards: "redis+cluster://${cluster.addresses}", readFrom: master }`,
        'routes:',
        '  - { prefix: "big:", pool: big }',
      ].join('\n'),
    )
    const both = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    const client = await both.connect()
    await until(async () => String(await client.request('GET', 'who')) === bulk('replica0'))
    expect(String(await client.request('SET', 'big:key', 'v'))).to.equal('+OK\r\n')
    expect(await get('big:key', client)).to.equal(bulk('v'))
    await both.stop()
    await ring.stop()
  })
})
