/** EXEC of a transaction on one shard, and the part of it that is answered here. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../../../support/ambassador.ts'
import { type FakeShard, type Script, startFakeShard } from '../../../support/fake-shard.ts'
import { send } from '../../../support/pipeline.ts'
import { but, diesAt, GOOD } from '../../../support/queueing-shard.ts'
import type { RawClient } from '../../../support/raw-client.ts'

const UNEXPECTED = '-ERR ambassador: shards gave unexpected replies (may have executed)\r\n'
/** SHA-1 of `return 1`. */
const SHA = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

describe('Exec', () => {
  let shard: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  async function start(script: Script): Promise<void> {
    shard = await startFakeShard(script)
    ambassador = await startAmbassadorFor([shard])
    client = await ambassador.connect()
  }

  afterEach(async () => {
    await ambassador.stop()
    await shard.stop()
  })

  const asked = () => shard.requests.map(({ text }) => text)

  it('puts what is answered here among the replies of the shard', async () => {
    await start(but(/^EXEC/, '*2\r\n+FIRST\r\n+SECOND\r\n'))
    const lines = ['MULTI', 'PING', 'SET k 1', 'CLIENT GETNAME', 'GET k', 'EXEC']
    expect((await send(client, ...lines)).at(-1)).to.equal(
      '*4\r\n+PONG\r\n+FIRST\r\n$-1\r\n+SECOND\r\n',
    )
    expect(asked()).to.deep.equal(['MULTI', 'SET k 1', 'GET k', 'EXEC'])
  })

  it('needs no shard where all of it is answered here', async () => {
    await start(GOOD)
    expect((await send(client, 'MULTI', 'PING', 'ECHO a', 'EXEC')).at(-1)).to.equal(
      '*2\r\n+PONG\r\n$1\r\na\r\n',
    )
    expect(asked()).to.deep.equal([])
  })

  it('executes nothing here when the shard has executed nothing', async () => {
    await start(but(/^EXEC/, '*-1\r\n'))
    const lines = ['WATCH k', 'MULTI', 'CLIENT SETNAME me', 'SET k 1', 'EXEC', 'CLIENT GETNAME']
    expect((await send(client, ...lines)).slice(-2)).to.deep.equal(['*-1\r\n', '$-1\r\n'])
  })

  it('executes nothing here when the shard dies over EXEC', async () => {
    await start(diesAt(/^EXEC/))
    const lines = ['MULTI', 'CLIENT SETNAME me', 'SET k 1', 'EXEC', 'CLIENT GETNAME']
    expect((await send(client, ...lines)).slice(-2)).to.deep.equal([
      '-ERR ambassador: shard a connection lost (may have executed)\r\n',
      '$-1\r\n',
    ])
  })

  it('is uncertain when the replies of the shard do not fit', async () => {
    await start(but(/^EXEC/, '*2\r\n+FIRST\r\n+SECOND\r\n'))
    expect((await send(client, 'MULTI', 'PING', 'SET k 1', 'EXEC')).at(-1)).to.equal(UNEXPECTED)
  })

  for (const [outcome, reply, count] of [
    ['has been executed', '*1\r\n:1\r\n', 1],
    ['has been aborted', '*-1\r\n', 0],
  ] as const) {
    it(`remembers ${count} scripts of a transaction that ${outcome}`, async () => {
      await start(but(/^EXEC/, reply))
      client.write('MULTI\r\n')
      await client.reply()
      await client.request('EVAL', 'return 1', '1', 'k')
      await send(client, 'EXEC', `EVALSHA ${SHA} 1 k`)
      const loads = asked().filter((text) => text === 'SCRIPT LOAD return 1')
      expect(loads).to.have.length(count)
    })
  }
})
