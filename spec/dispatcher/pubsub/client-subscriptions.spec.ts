/** What a client sees while its subscriptions are under way, with shards that do as they are told. */
import { expect } from 'chai'
import { CLIENT_SUBSCRIPTIONS_BYTES_MAX } from '../../../lib/limits.ts'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'

const MESSAGE = encodeRequest('pmessage', 'p*', 'pc', 'text')

/** Placed on the first shard by the two names, a and b. */
const CHANNEL = 'c0'

function confirm({ args }: FakeRequest): string {
  const [word = '', name = ''] = args.map((arg) => arg.toString('latin1'))
  return `*3\r\n$${word.length}\r\n${word}\r\n$${name.length}\r\n${name}\r\n:1\r\n`
}

describe('ClientSubscriptions', () => {
  let prompt: FakeShard
  /** Confirms nothing by itself. */
  let late: FakeShard
  let ambassador: AmbassadorUnderTest

  beforeEach(async () => {
    prompt = await startFakeShard(confirm)
    late = await startFakeShard(() => undefined)
    ambassador = await startAmbassadorFor([prompt, late], { requestTimeoutMs: '1000' })
  })

  afterEach(async () => {
    await ambassador.stop()
    await prompt.stop()
    await late.stop()
  })

  it('gives no message before the confirmation, and none is missed after it', async () => {
    const client = await ambassador.connect()
    client.write(encodeRequest('PSUBSCRIBE', 'p*'))
    const { connection } = await prompt.nextRequest()
    const request = await late.nextRequest()
    connection.send(MESSAGE)
    // A round trip on the same connection: the message has been read by now.
    const other = await ambassador.connect()
    await other.request('SUBSCRIBE', CHANNEL)
    request.reply(confirm(request) + String(MESSAGE))
    expect(String(await client.reply())).to.equal('*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:1\r\n')
    expect(String(await client.reply())).to.equal(String(MESSAGE))
    expect(client.unreadBytes).to.equal(0)
  })

  it('keeps commands behind an unconfirmed SUBSCRIBE waiting, and judges them then', async () => {
    const client = await ambassador.connect()
    const pipeline = [encodeRequest('PSUBSCRIBE', 'p*'), encodeRequest('GET', 'k')]
    client.write(Buffer.concat(pipeline))
    const request = await late.nextRequest()
    request.reply(confirm(request))
    expect(String(await client.reply())).to.match(/psubscribe/)
    expect(String(await client.reply())).to.match(/^-ERR Can't execute 'get': only/)
  })

  it('takes them the usual way when the SUBSCRIBE before them has failed', async () => {
    const client = await ambassador.connect()
    const pipeline = [encodeRequest('PSUBSCRIBE', 'p*'), encodeRequest('GET', CHANNEL)]
    client.write(Buffer.concat(pipeline))
    const request = await late.nextRequest()
    request.reply('-NOPERM no\r\n')
    expect(String(await client.reply())).to.equal('-NOPERM no\r\n')
    expect(String(await client.reply())).to.match(/GET/)
  })

  it('does not confirm what was lost while it waited for its turn', async () => {
    const other = await ambassador.connect()
    other.write(encodeRequest('SUBSCRIBE', CHANNEL))
    const { connection } = await prompt.nextRequest()
    const first = await late.nextRequest()
    first.reply(confirm(first))
    await other.reply()
    const client = await ambassador.connect()
    const pipeline = [encodeRequest('PSUBSCRIBE', 'p*'), encodeRequest('SUBSCRIBE', CHANNEL)]
    client.write(Buffer.concat(pipeline))
    const pattern = await late.nextRequest()
    connection.reset()
    await other.closed()
    pattern.reply(confirm(pattern))
    expect((await client.replies(2)).map(String)).to.deep.equal([
      '*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:1\r\n',
      '-ERR ambassador: shard a unavailable (not sent)\r\n',
    ])
  })

  it('says so when the home does not confirm in time, and takes the subscription back', async () => {
    const [channel = '', next = ''] = keysOn(1, 2, 2)
    const client = await ambassador.connect()
    expect(String(await client.request('SUBSCRIBE', channel))).to.equal(
      '-ERR ambassador: shard b timed out (may have executed)\r\n',
    )
    for (const shard of [prompt, late]) {
      expect((await shard.nextRequest()).text).to.equal(`SUBSCRIBE ${channel}`)
      expect((await shard.nextRequest()).text).to.equal(`UNSUBSCRIBE ${channel}`)
    }
    // The confirmations it owes still come, and are counted off.
    for (const request of late.requests) request.reply(confirm(request))
    client.write(encodeRequest('SUBSCRIBE', next))
    const again = await late.nextRequest()
    expect(again.text).to.equal(`SUBSCRIBE ${next}`)
    again.reply(confirm(again))
    expect(String(await client.reply())).to.match(/:1\r\n$/)
  })

  it('asks again a shard that was too busy, and tells those who were told before', async () => {
    const client = await ambassador.connect()
    client.write(encodeRequest('SUBSCRIBE', CHANNEL))
    const busy = await late.nextRequest()
    busy.reply('-BUSY Redis is busy running a script.\r\n')
    expect(String(await client.reply())).to.match(/^\*3\r\n\$9\r\nsubscribe/)
    const again = await late.nextRequest()
    expect(again.text).to.equal(`SUBSCRIBE ${CHANNEL}`)
    again.reply(confirm(again))
    await client.closed()
  })

  it('takes back what a client asked for that left before the confirmation', async () => {
    const client = await ambassador.connect()
    client.write(encodeRequest('PSUBSCRIBE', 'p*'))
    await late.nextRequest()
    client.reset()
    expect((await late.nextRequest()).text).to.equal('PUNSUBSCRIBE p*')
    expect(ambassador.gauges.topics).to.equal(0)
  })

  it('ends the subscriptions of a RESP3 client that resets', async () => {
    const client = await ambassador.connect(3)
    expect(String(await client.request('SUBSCRIBE', CHANNEL))).to.match(/^>3/)
    expect(String(await client.request('RESET'))).to.equal('+RESET\r\n')
    expect(ambassador.gauges.topics).to.equal(0)
    expect(String(await client.request('PING'))).to.equal('+PONG\r\n')
  })

  it('bounds what one client may subscribe to', async () => {
    const client = await ambassador.connect()
    const name = Buffer.alloc(CLIENT_SUBSCRIPTIONS_BYTES_MAX, 'x')
    expect(String(await client.request('SUBSCRIBE', name))).to.equal(
      '-ERR ambassador: overloaded (not sent)\r\n',
    )
    expect(ambassador.gauges.topics).to.equal(0)
    expect(String(await client.request('PING'))).to.equal('+PONG\r\n')
  })
})
