/** Transactions over several slots of a real cluster, one of which moves under them. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { send } from '../../support/pipeline.ts'
import type { RawClient } from '../../support/raw-client.ts'

const QUEUED = '+QUEUED\r\n'

describe('transactions over several slots, one of which moves', () => {
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
    ambassador = await startAmbassadorForCluster(cluster.addresses, { transactions: 'split' })
    client = await ambassador.connect()
    await client.request('FLUSHALL')
  })

  afterEach(() => ambassador.stop())

  async function elsewhere(): Promise<ClusterServer> {
    await cluster.settled()
    const owner = await cluster.ownerOf(slot)
    return (await cluster.masters()).find((each) => each !== owner) as ClusterServer
  }

  const begin = ['MULTI', 'INCR {tx}a', 'INCR b', 'INCR c', 'INCR {tx}a']
  const EXECUTED = '*4\r\n:2\r\n:1\r\n:1\r\n:3\r\n'

  it('are executed once everywhere when it has moved before EXEC', async () => {
    await send(client, 'SET {tx}a 1')
    expect((await send(client, ...begin)).slice(1)).to.deep.equal([QUEUED, QUEUED, QUEUED, QUEUED])
    await cluster.moveSlot(slot, await elsewhere())
    expect(await send(client, 'EXEC')).to.deep.equal([EXECUTED])
    expect(await send(client, 'MGET {tx}a b c')).to.deep.equal([
      '*3\r\n$1\r\n3\r\n$1\r\n1\r\n$1\r\n1\r\n',
    ])
  })

  it('are executed behind ASKING while its keys are on their way', async () => {
    await send(client, 'SET {tx}a 1')
    const open = await cluster.openSlot(slot, await elsewhere())
    await open.moveKeys()
    await send(client, ...begin)
    expect(await send(client, 'EXEC')).to.deep.equal([EXECUTED])
    await open.finish()
    expect(await send(client, 'GET {tx}a')).to.deep.equal(['$1\r\n3\r\n'])
  })

  it('have no effect anywhere when watched keys have moved', async () => {
    await send(client, 'SET {tx}a 1', 'WATCH {tx}a')
    await cluster.moveSlot(slot, await elsewhere())
    await send(client, ...begin)
    expect(await send(client, 'EXEC', 'MGET {tx}a b c')).to.deep.equal([
      '*-1\r\n',
      '*3\r\n$1\r\n1\r\n$-1\r\n$-1\r\n',
    ])
    expect((await send(client, 'WATCH {tx}a', ...begin, 'EXEC')).at(-1)).to.equal(EXECUTED)
  })

  it('keep a bounded number of commands and of slots', async () => {
    const lines = Array.from({ length: 257 }, (_, at) => `SET ${at} 1`)
    const replies = await send(client, 'MULTI', ...lines, 'EXEC', 'DBSIZE')
    expect(replies.slice(-3)).to.deep.equal([
      '-ERR ambassador: transaction over more than 256 shards or slots (not sent)\r\n',
      '-EXECABORT Transaction discarded because of previous errors.\r\n',
      ':0\r\n',
    ])
    const pairs = Array.from({ length: 1024 }, (_, at) => `SET ${at % 2} ${at}`)
    const many = await send(client, 'MULTI', ...pairs, 'SET 1 too-much', 'EXEC', 'DBSIZE')
    expect(many.slice(-3)).to.deep.equal([
      '-ERR ambassador: overloaded (not sent)\r\n',
      '-EXECABORT Transaction discarded because of previous errors.\r\n',
      ':0\r\n',
    ])
    expect(await send(client, 'MULTI', ...pairs.slice(1), 'EXEC', 'DBSIZE')).to.have.length(1026)
  })
})
