/** The connection of a transaction: that it is one, where it goes, and who gets it afterwards. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { send } from '../../support/pipeline.ts'
import { GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'

describe('TransactionLease', () => {
  let shard: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    shard = await startFakeShard(GOOD)
    ambassador = await startAmbassadorFor([shard])
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await shard.stop()
  })

  /** The connection of the last request that reads so. */
  function connectionOf(text: string): FakeRequest['connection'] {
    const request = shard.requests.findLast((each) => each.text === text)
    if (request === undefined) throw new Error(`no ${text}`)
    return request.connection
  }

  /** Without the handshake. */
  function textsOn({ requests }: FakeRequest['connection']): string[] {
    return requests.map(({ text }) => text).filter((text) => !/^(PING|CLIENT ID)$/.test(text))
  }

  it('is one connection from WATCH to EXEC, and the next transaction has it again', async () => {
    await send(client, 'WATCH k', 'MULTI', 'SET k 1', 'EXEC')
    await send(client, 'MULTI', 'SET k 2', 'EXEC')
    const lease = connectionOf('WATCH k')
    expect(textsOn(lease)).to.deep.equal([
      'WATCH k',
      'MULTI',
      'SET k 1',
      'EXEC',
      'MULTI',
      'SET k 2',
      'EXEC',
    ])
  })

  for (const end of ['UNWATCH', 'MULTI DISCARD']) {
    it(`is given back at ${end}`, async () => {
      await send(client, 'WATCH k', ...end.split(' '))
      await send(client, 'WATCH k2', 'UNWATCH')
      expect(connectionOf('WATCH k2')).to.equal(connectionOf('WATCH k'))
    })
  }

  it('follows its client to another database, and nobody gets it then', async () => {
    await send(client, 'WATCH k', 'SELECT 3', 'MULTI', 'SET k 1', 'EXEC')
    const lease = connectionOf('WATCH k')
    expect(connectionOf('EXEC')).to.equal(lease)
    expect(textsOn(lease)).to.deep.equal(['WATCH k', 'SELECT 3', 'MULTI', 'SET k 1', 'EXEC'])
    await lease.closed()
  })

  it('is given back when its client has come back to the database on which it was taken', async () => {
    await send(client, 'SELECT 1', 'WATCH k', 'SELECT 3', 'GET k', 'SELECT 1')
    await send(client, 'MULTI', 'SET k 1', 'EXEC')
    await send(client, 'WATCH k2', 'UNWATCH')
    expect(connectionOf('WATCH k2')).to.equal(connectionOf('WATCH k'))
  })

  for (const begun of [['WATCH k'], ['MULTI', 'SET k 1']]) {
    it(`is closed when its client is gone behind ${begun.at(-1)}`, async () => {
      await send(client, ...begun)
      await client.close()
      await connectionOf(begun.at(-1) as string).closed()
    })
  }
})
