/** Row 30: clients that send nothing for too long. */
import { once } from 'node:events'
import { expect } from 'chai'
import { configFor, startShards } from '../support/ambassador.ts'
import { until } from '../support/until.ts'

describe('row 30: idle clients', () => {
  it('are closed after their time, but for subscribers and blocked ones', async () => {
    const { ambassador, redises, stop } = await startShards(1)
    const [idle, subscriber, blocked] = await Promise.all([
      ambassador.connect(),
      ambassador.connect(),
      ambassador.connect(),
    ])
    await subscriber.request('SUBSCRIBE', 'news')
    const popped = blocked.request('BLPOP', 'list', '0')
    await idle.request('PING')
    await until(() => ambassador.gauges.leases === 1)
    // Only now: a client that a busy machine keeps from sending would be idle too.
    ambassador.reload(configFor(redises, { clientIdleTimeoutMs: '1' }))
    await idle.closed()
    // Had the others been closed as well, it would have been by the same look.
    ambassador.reload(configFor(redises))
    const pusher = await ambassador.connect()
    await pusher.request('RPUSH', 'list', 'x')
    expect((await popped).toString()).to.include('list')
    await pusher.request('PUBLISH', 'news', 'y')
    expect((await subscriber.reply()).toString()).to.include('news')
    await stop()
  })

  it('stay for ever unless told otherwise, also by a reload', async () => {
    const { ambassador, redises, stop } = await startShards(1)
    const client = await ambassador.connect()
    const timeout = async () => (await client.request('CONFIG', 'GET', 'timeout')).toString()
    expect(await timeout()).to.match(/\r\n0\r\n$/)
    ambassador.reload(configFor(redises, { clientIdleTimeoutMs: '1' }))
    await once(client.socket, 'close')
    await stop()
  })
})
