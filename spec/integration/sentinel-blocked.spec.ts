/** Clients that are blocked at a master when the sentinels name another one. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel } from '../support/fake-sentinel.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { until } from '../support/until.ts'

const POPPED = '*2\r\n$1\r\nq\r\n$1\r\nx\r\n'

describe('clients blocked at a master that is one no more', () => {
  let before: FakeShard
  let heir: FakeShard
  let sentinel: FakeSentinel
  let ambassador: AmbassadorUnderTest
  let reply: Promise<Buffer>
  let wait: FakeRequest

  beforeEach(async () => {
    const waits: FakeRequest[] = []
    before = await startFakeShard((request) => {
      if (!request.text.startsWith('BLPOP')) return '+OK\r\n'
      waits.push(request)
      return undefined
    })
    heir = await startFakeShard()
    sentinel = await startFakeSentinel({ alpha: { master: `127.0.0.1:${before.port}`, epoch: 1 } })
    const shards = 'a=redis+sentinel://alpha'
    ambassador = await startAmbassadorFor([], { shards, sentinels: sentinel.address })
    const client = await ambassador.connect()
    await until(() => sentinel.listeners > 0)
    reply = client.request('BLPOP', 'q', '0')
    await until(() => waits.length > 0)
    wait = waits[0] as FakeRequest
  })

  afterEach(async () => {
    await ambassador.stop()
    await sentinel.stop()
    await before.stop()
    await heir.stop()
  })

  function switchMaster(): void {
    sentinel.switchMaster('alpha', { master: `127.0.0.1:${heir.port}`, epoch: 2 })
  }

  it('are unblocked when it ends the wait without a word', async () => {
    switchMaster()
    expect(String(await reply)).to.match(/^-UNBLOCKED /)
  })

  it('are told that it may have executed when it says something: it is not believed (row 124)', async () => {
    // On its way when our FIN comes.
    wait.connection.socket.prependListener('end', () => wait.reply(POPPED))
    switchMaster()
    expect(String(await reply)).to.match(/connection lost \(may have executed\)/)
  })

  it('are told that it may have executed when it does not end the wait', async () => {
    wait.connection.socket.removeAllListeners('end')
    switchMaster()
    expect(String(await reply)).to.match(/connection lost \(may have executed\)/)
  })
})
