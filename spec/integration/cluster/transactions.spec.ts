/** Transactions on a slot of a real cluster that moves under them. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import type { RawClient } from '../../support/raw-client.ts'

describe('transactions on a slot that moves', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let slot: number

  before(async () => {
    cluster = await startCluster({ masters: 3 })
    slot = await cluster.slotOf('{tx}')
  })

  after(() => cluster.stop())

  beforeEach(async () => {
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
  })

  afterEach(() => ambassador.stop())

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  async function elsewhere(): Promise<ClusterServer> {
    await cluster.settled()
    const owner = await cluster.ownerOf(slot)
    return (await cluster.masters()).find((each) => each !== owner) as ClusterServer
  }

  const QUEUED = '+QUEUED\r\n'

  it('are executed at the new owner when it has moved before EXEC', async () => {
    await ask('SET', '{tx}a', '1')
    expect(await ask('MULTI')).to.equal('+OK\r\n')
    expect(await ask('INCR', '{tx}a')).to.equal(QUEUED)
    await cluster.moveSlot(slot, await elsewhere())
    expect(await ask('INCR', '{tx}a')).to.equal(QUEUED)
    expect(await ask('EXEC')).to.equal('*2\r\n:2\r\n:3\r\n')
    expect(await ask('GET', '{tx}a')).to.contain('\r\n3\r\n')
  })

  it('are executed behind ASKING while their keys are on their way', async () => {
    await ask('SET', '{tx}b', '1')
    const open = await cluster.openSlot(slot, await elsewhere())
    await open.moveKeys()
    await ask('MULTI')
    await ask('INCR', '{tx}b')
    await ask('INCR', '{tx}b')
    expect(await ask('EXEC')).to.equal('*2\r\n:2\r\n:3\r\n')
    await open.finish()
    expect(await ask('GET', '{tx}b')).to.contain('\r\n3\r\n')
  })

  it('wait until the keys of one command are together', async () => {
    await ask('MSET', '{tx}c', '1', '{tx}d', '2')
    const open = await cluster.openSlot(slot, await elsewhere())
    await open.moveKeys(1)
    await ask('MULTI')
    await ask('MGET', '{tx}c', '{tx}d')
    const reply = client.request('EXEC')
    await open.finish()
    expect((await reply).toString()).to.equal('*1\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n')
  })

  it('have no effect when their watched keys have moved', async () => {
    await ask('SET', '{tx}e', '1')
    expect(await ask('WATCH', '{tx}e')).to.equal('+OK\r\n')
    expect(await ask('GET', '{tx}e')).to.contain('\r\n1\r\n')
    await cluster.moveSlot(slot, await elsewhere())
    expect(await ask('GET', '{tx}e')).to.contain('\r\n1\r\n')
    await ask('MULTI')
    expect(await ask('SET', '{tx}e', '2')).to.equal(QUEUED)
    expect(await ask('EXEC')).to.equal('*-1\r\n')
    expect(await ask('GET', '{tx}e')).to.contain('\r\n1\r\n')
    // And the next try succeeds.
    await ask('WATCH', '{tx}e')
    await ask('MULTI')
    await ask('SET', '{tx}e', '2')
    expect(await ask('EXEC')).to.equal('*1\r\n+OK\r\n')
  })

  it('have no effect when a watched key was refused at once', async () => {
    await ask('SET', '{tx}f', '1')
    const open = await cluster.openSlot(slot, await elsewhere())
    await open.moveKeys()
    expect(await ask('WATCH', '{tx}f')).to.equal('+OK\r\n')
    await ask('MULTI')
    await ask('INCR', '{tx}f')
    expect(await ask('EXEC')).to.equal('*-1\r\n')
    await open.finish()
  })

  it('see changes of watched keys by others', async () => {
    const other = await ambassador.connect()
    await ask('WATCH', '{tx}g')
    await other.request('SET', '{tx}g', 'theirs')
    await ask('MULTI')
    await ask('SET', '{tx}g', 'ours')
    expect(await ask('EXEC')).to.equal('*-1\r\n')
    expect(await ask('GET', '{tx}g')).to.contain('theirs')
  })

  it('are discarded, refused and aborted as ever', async () => {
    await ask('WATCH', '{tx}h')
    await ask('MULTI')
    await ask('SET', '{tx}h', '1')
    expect(await ask('DISCARD')).to.equal('+OK\r\n')
    expect(await ask('EXEC')).to.equal('-ERR EXEC without MULTI\r\n')
    await ask('MULTI')
    expect(await ask('EXEC')).to.equal('*0\r\n')
    await ask('MULTI')
    await ask('SET', '{tx}h', '1')
    expect(await ask('SET', 'another', '1')).to.match(/^-CROSSSLOT /)
    expect(await ask('EXEC')).to.match(/^-EXECABORT /)
    await ask('MULTI')
    await ask('PING')
    await ask('SET', '{tx}h', '1')
    await ask('EVAL', "return redis.call('INCR', KEYS[1])", '1', '{tx}h')
    expect(await ask('EXEC')).to.equal('*3\r\n+PONG\r\n+OK\r\n:2\r\n')
    await ask('MULTI')
    await ask('LPUSH', '{tx}h', '1')
    expect(await ask('EXEC')).to.match(/^\*1\r\n-WRONGTYPE /)
  })

  it('may be larger than what is kept for a move', async () => {
    await ask('MULTI')
    for (let i = 0; i < 1100; i++) expect(await ask('RPUSH', '{tx}long', `${i}`)).to.equal(QUEUED)
    expect(await ask('EXEC')).to.match(/^\*1100\r\n:1\r\n/)
    expect(await ask('LLEN', '{tx}long')).to.equal(':1100\r\n')
  })

  it('go to their keys also when a message makes them larger than that', async () => {
    await ask('SET', '{tx}large', '1')
    const channels = await Promise.all(cluster.servers.map((server) => cluster.keyOn(server)))
    for (const channel of channels) {
      await ask('MULTI')
      await ask('INCR', '{tx}large')
      expect(await ask('PUBLISH', channel, 'm'.repeat(1024 * 1024))).to.equal(QUEUED)
      expect(await ask('EXEC')).to.match(/^\*2\r\n:\d+\r\n:0\r\n$/)
    }
    expect(await ask('GET', '{tx}large')).to.contain('\r\n4\r\n')
  })

  it('run scripts by their SHA-1 at a node that has never seen them', async () => {
    const sha = (await ask('SCRIPT', 'LOAD', "return redis.call('INCR', KEYS[1])")).split(
      '\r\n',
    )[1] as string
    const to = await elsewhere()
    await to.ask('SCRIPT', 'FLUSH')
    await ask('MULTI')
    await ask('EVALSHA', sha, '1', '{tx}script')
    await cluster.moveSlot(slot, to)
    expect(await ask('EXEC')).to.equal('*1\r\n:1\r\n')
  })
})
