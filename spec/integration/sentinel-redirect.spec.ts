/** What a Valkey says that sentinels have made a replica; scripted, for Redis does not. */
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { startFakeSentinel } from '../support/fake-sentinel.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { until } from '../support/until.ts'

describe('a shard that answers REDIRECT', () => {
  it('is looked for elsewhere, and the client is told that nothing was executed', async () => {
    const heir = await startFakeShard()
    const old = await startFakeShard(() => `-REDIRECT 127.0.0.1:${heir.port}\r\n`)
    const [atOld, atHeir] = [`127.0.0.1:${old.port}`, `127.0.0.1:${heir.port}`]
    const sentinel = await startFakeSentinel({ alpha: { master: atOld, epoch: 1 } })
    const flags = { sentinels: sentinel.address }
    const ambassador = await startAmbassadorFor(['redis+sentinel://alpha'], flags)
    const client = await ambassador.connect()
    const { asked } = sentinel
    const told = '-ERR ambassador: shard a unavailable (not executed)\r\n'
    expect(String(await client.request('SET', 'k', '1'))).to.equal(told)
    await until(() => sentinel.asked > asked)
    sentinel.switchMaster('alpha', { master: atHeir, epoch: 2, replicas: [atOld] })
    await until(async () => String(await client.request('SET', 'k', '1')) === '+OK\r\n')
    expect(heir.requests.map(({ text }) => text)).to.deep.equal(['SET k 1'])
    const said = old.connections.flatMap(({ requests }) => requests.map(({ text }) => text))
    expect(said).to.include('CLIENT CAPA redirect')
    await ambassador.stop()
    for (const each of [sentinel, heir, old]) await each.stop()
  })

  it('is passed on by one with an address, which nobody has told that we understand it', async () => {
    const shard = await startFakeShard(() => '-REDIRECT 127.0.0.1:1\r\n')
    const ambassador = await startAmbassadorFor([shard])
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'k'))).to.equal('-REDIRECT 127.0.0.1:1\r\n')
    const said = shard.connections.flatMap(({ requests }) => requests.map(({ text }) => text))
    expect(said).to.not.include('CLIENT CAPA redirect')
    await ambassador.stop()
    await shard.stop()
  })
})
