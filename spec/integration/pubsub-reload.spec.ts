/** Subscriptions outlive reloads: what stays is untouched, what moved is told, and nothing is missed. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shareRedises } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const CHANNELS = Array.from({ length: 24 }, (_, i) => `channel:${i}`)

/** What clients may have done before the reload, so that they have nothing subscribed now. */
const PASTS: Readonly<Record<string, (client: RawClient) => Promise<unknown>>> = {
  'a channel': async (client) => {
    await client.request('SUBSCRIBE', 'x')
    await client.request('UNSUBSCRIBE', 'x')
  },
  'a pattern': async (client) => {
    await client.request('PSUBSCRIBE', 'x*')
    await client.request('PUNSUBSCRIBE')
  },
  'a sharded channel': async (client) => {
    await client.request('SSUBSCRIBE', 'x')
    await client.request('SUNSUBSCRIBE', 'x')
  },
  nothing: (client) => client.request('UNSUBSCRIBE'),
}

describe('row 75: subscriptions and reloads', () => {
  const redises = shareRedises(4)
  let ambassador: AmbassadorUnderTest

  beforeEach(async () => {
    ambassador = await startAmbassadorFor([], { shards: shards('a', 'b') })
  })
  afterEach(() => ambassador.stop())

  /** Of the servers a to d those that are named, in this order. */
  function shards(...names: string[]): string {
    return names.map((name) => `${name}=127.0.0.1:${server(name).port}`).join(',')
  }

  function server(name: string): RedisServer {
    return redises['abcd'.indexOf(name)] as RedisServer
  }

  function reloadTo(...names: string[]): void {
    ambassador.reload(configFor([], { shards: shards(...names) }))
  }

  async function ask(name: string, ...args: string[]): Promise<string> {
    const client = await connectRaw(server(name).port)
    const answer = String(await client.request(...args))
    await client.close()
    return answer
  }

  for (const [past, leave] of Object.entries(PASTS)) {
    for (const protocol of [2, 3] as const) {
      it(`miss nothing later: RESP${protocol}, after ${past}`, async () => {
        const client = await ambassador.connect(protocol)
        await leave(client)
        reloadTo('c', 'd', 'b')
        const publisher = await ambassador.connect()
        for (const channel of CHANNELS) {
          await client.request('SUBSCRIBE', channel)
          await client.request('SSUBSCRIBE', channel)
        }
        for (const channel of CHANNELS) {
          expect(String(await publisher.request('PUBLISH', channel, 'm'))).to.equal(':1\r\n')
          expect(String(await publisher.request('SPUBLISH', channel, 'm'))).to.equal(':1\r\n')
        }
        const heard = (await client.replies(2 * CHANNELS.length)).map(
          (frame) => String(frame).split('\r\n')[4],
        )
        expect(heard.sort()).to.deep.equal([...CHANNELS, ...CHANNELS].sort())
      })
    }
  }

  it('are counted right whatever changed', async () => {
    const clients = [await ambassador.connect(), await ambassador.connect(3)]
    const publisher = await ambassador.connect()
    const staying = await staysOn('b', ['c', 'd', 'b'])
    for (const client of clients) await client.request('SUBSCRIBE', staying)
    for (const change of [
      () => ambassador.reload(configFor([], { shards: shards('a', 'b'), slowRequestMs: '99' })),
      () => ambassador.reload(configFor([], { shards: shards('a', 'b'), maxClients: '77' })),
      () => reloadTo('b', 'a'),
      () => reloadTo('c', 'd', 'b'),
    ]) {
      change()
      expect(String(await publisher.request('PUBLISH', staying, 'm'))).to.equal(':2\r\n')
      const answer = await publisher.request('PUBSUB', 'NUMSUB', staying)
      expect(String(answer)).to.match(/:2\r\n$/)
      for (const client of clients) expect(String(await client.reply())).to.match(/m\r\n$/)
    }
    await clients[0]?.close()
    await until(async () => String(await publisher.request('PUBLISH', staying, 'm')) === ':1\r\n')
  })

  it('stay where their shard stays, hear scripts on new shards, and end where it went', async () => {
    const [staying, moving] = [await staysOn('b', ['c', 'd', 'b']), await isOn('a')]
    const [stays, moves] = [await ambassador.connect(), await ambassador.connect(3)]
    await stays.request('SUBSCRIBE', staying)
    await moves.request('SUBSCRIBE', moving)
    reloadTo('c', 'd', 'b')
    await moves.closed()
    expect(String(await stays.request('PING'))).to.match(/^\*2/)
    for (const name of ['c', 'd']) {
      await until(async () => (await ask(name, 'PUBSUB', 'NUMSUB', staying)).endsWith(':1\r\n'))
    }
    for (const name of ['c', 'd', 'b']) await ask(name, 'PUBLISH', staying, name)
    const texts = (await stays.replies(3)).map((frame) => String(frame).at(-3))
    expect(texts.sort()).to.deep.equal(['b', 'c', 'd'])
    // The shard that went is left for good.
    await until(async () => (await ask('a', 'CLIENT', 'LIST', 'TYPE', 'pubsub')) === '$0\r\n\r\n')
  })

  it('of patterns end when a shard comes, and stay when one goes', async () => {
    const client = await ambassador.connect()
    await client.request('PSUBSCRIBE', 'channel:*')
    const moving = await isOn('a')
    reloadTo('b')
    const publisher = await ambassador.connect()
    expect(String(await publisher.request('PUBLISH', moving, 'm'))).to.equal(':1\r\n')
    expect(String(await client.reply())).to.match(/m\r\n$/)
    reloadTo('b', 'c')
    await client.closed()
  })

  it('hear what a transaction publishes that ends on a shard which is leaving', async () => {
    const staying = await staysOn('b', ['b'])
    const [client, publisher] = [await ambassador.connect(), await ambassador.connect()]
    await client.request('SUBSCRIBE', staying)
    const key = await isOn('a')
    await publisher.request('MULTI')
    await publisher.request('SET', key, 'v')
    await publisher.request('PUBLISH', staying, 'from the shard that leaves')
    reloadTo('b')
    expect(String(await publisher.request('EXEC'))).to.match(/^\*2\r\n\+OK/)
    expect(String(await client.reply())).to.match(/from the shard that leaves\r\n$/)
  })

  it('are asked for on the new ring when a reload comes before their confirmation', async () => {
    for (let round = 0; round < 6; round++) {
      const client = await ambassador.connect(3)
      for (const channel of CHANNELS) client.write(`SUBSCRIBE ${channel}\r\n`)
      // The first answer is there, the others are under way.
      await client.reply()
      if (round % 2 === 0) reloadTo('c', 'd', 'b')
      else reloadTo('a', 'b')
      const closed = client.closed().then(() => 'closed')
      const confirmed = client.replies(CHANNELS.length - 1).then(
        () => 'confirmed',
        () => 'closed',
      )
      if ((await Promise.race([closed, confirmed])) === 'closed') continue
      const publisher = await ambassador.connect()
      for (const channel of CHANNELS) {
        expect(String(await publisher.request('PUBLISH', channel, 'm'))).to.equal(':1\r\n')
      }
      await client.close()
      await publisher.close()
    }
  })

  it('leave no connection and no topic behind after many of them', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await ambassador.connect()
      await client.request('SUBSCRIBE', 'x', 'y', 'z')
      reloadTo(...(['ab', 'bc', 'cda', 'b'][round % 4] as string))
      await client.close()
    }
    reloadTo('d')
    for (const name of 'abc') {
      await until(
        async () => (await ask(name, 'CLIENT', 'LIST', 'TYPE', 'pubsub')) === '$0\r\n\r\n',
      )
    }
    await ambassador.quiet()
  })

  /** A channel that is on the shard now and after a reload to the others. */
  async function staysOn(name: string, later: string[]): Promise<string> {
    const other = await startAmbassadorFor([], { shards: shards(...later) })
    const [now, then] = [await ambassador.connect(), await other.connect()]
    const found = await firstNamed(async (channel) => {
      return (await shardOf(now, channel)) === name && (await shardOf(then, channel)) === name
    })
    await now.close()
    await other.stop()
    return found
  }

  /** A channel, and a key, that is on the shard now. */
  async function isOn(name: string): Promise<string> {
    const client = await ambassador.connect()
    const found = await firstNamed(async (channel) => (await shardOf(client, channel)) === name)
    await client.close()
    return found
  }
})

async function firstNamed(fits: (channel: string) => Promise<boolean>): Promise<string> {
  for (let i = 0; ; i++) if (await fits(`channel:${i}`)) return `channel:${i}`
}

/** The name of the shard by the configuration in use. */
async function shardOf(client: RawClient, channel: string): Promise<string> {
  const route = String(await client.request('AMBASSADOR', 'ROUTE', channel))
  return /\$5\r\nshard\r\n\$1\r\n(.)\r\n/.exec(route)?.[1] ?? ''
}
