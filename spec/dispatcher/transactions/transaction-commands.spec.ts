/** Commands of transactions where there is none. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { send } from '../../support/pipeline.ts'
import { GOOD } from '../../support/queueing-shard.ts'

describe('transactionCommands', () => {
  let shard: FakeShard
  let ambassador: AmbassadorUnderTest

  beforeEach(async () => {
    shard = await startFakeShard(GOOD)
    ambassador = await startAmbassadorFor([shard])
  })

  afterEach(async () => {
    await ambassador.stop()
    await shard.stop()
  })

  it('answer outside of a transaction as Redis does, without asking a shard', async () => {
    const client = await ambassador.connect()
    expect(await send(client, 'EXEC', 'DISCARD', 'UNWATCH')).to.deep.equal([
      '-ERR EXEC without MULTI\r\n',
      '-ERR DISCARD without MULTI\r\n',
      '+OK\r\n',
    ])
    expect(shard.requests).to.deep.equal([])
  })

  it('begin one at MULTI, which asks no shard before there is a key', async () => {
    const client = await ambassador.connect()
    expect(await send(client, 'MULTI', 'PING', 'MULTI', 'WATCH k', 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '+QUEUED\r\n',
      '-ERR MULTI calls can not be nested\r\n',
      '-ERR WATCH inside MULTI is not allowed\r\n',
      '*1\r\n+PONG\r\n',
    ])
    expect(shard.requests).to.deep.equal([])
  })

  it('begin one at WATCH, which leaves EXEC and DISCARD as they are', async () => {
    const client = await ambassador.connect()
    expect(await send(client, 'WATCH k', 'EXEC', 'DISCARD', 'UNWATCH')).to.deep.equal([
      '+OK\r\n',
      '-ERR EXEC without MULTI\r\n',
      '-ERR DISCARD without MULTI\r\n',
      '+OK\r\n',
    ])
    expect(shard.requests.map(({ text }) => text)).to.deep.equal(['WATCH k', 'UNWATCH'])
  })
})
