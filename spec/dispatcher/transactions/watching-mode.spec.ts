/** Between WATCH and MULTI: which connection a command takes, and what it waits for. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { pipeline, send, texts } from '../../support/pipeline.ts'
import { but, GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

const [[KEY_A = ''], [KEY_B = '']] = [keysOn(0, 2), keysOn(1, 2)]
const UNAVAILABLE = '-ERR ambassador: shard a unavailable (not sent)\r\n'
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'

describe('WatchingMode', () => {
  let scriptB: typeof GOOD
  let a: FakeShard
  let b: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    scriptB = GOOD
    a = await startFakeShard(GOOD)
    b = await startFakeShard((request) => scriptB(request))
    ambassador = await startAmbassadorFor([a, b])
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await a.stop()
    await b.stop()
  })

  function sent(shard: FakeShard, text: string): FakeRequest | undefined {
    return shard.requests.find((request) => request.text === text)
  }

  it('sends commands for the shard of the watched keys over their connection, others not', async () => {
    await send(client, `GET ${KEY_B}`, `WATCH ${KEY_A}`, `GET ${KEY_A}`, `GET ${KEY_B}`)
    expect(sent(a, `GET ${KEY_A}`)?.connection).to.equal(sent(a, `WATCH ${KEY_A}`)?.connection)
    expect(new Set(b.requests.map(({ connection }) => connection)).size).to.equal(1)
  })

  it('lets each command wait for the reply to the one before it', async () => {
    scriptB = but(/^GET/, undefined)
    client.write(pipeline([`WATCH ${KEY_A}`, `GET ${KEY_B}`, `GET ${KEY_A}`]))
    await until(() => sent(b, `GET ${KEY_B}`) !== undefined)
    await send(await ambassador.connect(), `GET ${KEY_A}`)
    expect(a.requests.filter(({ text }) => text === `GET ${KEY_A}`)).to.have.length(1)
    sent(b, `GET ${KEY_B}`)?.reply('+OK\r\n')
    expect(await texts(client, 3)).to.have.length(3)
    expect(a.requests.filter(({ text }) => text === `GET ${KEY_A}`)).to.have.length(2)
  })

  it('watches nothing more when the connection is lost, and the transaction is aborted', async () => {
    await send(client, `WATCH ${KEY_A}`)
    sent(a, `WATCH ${KEY_A}`)?.connection.reset()
    await until(() => ambassador.gauges.leases === 0)
    // A command that could go over the lease finds out.
    await send(client, `GET ${KEY_A}`)
    expect(await send(client, `WATCH ${KEY_A}`, 'MULTI', `SET ${KEY_A} 1`, 'EXEC')).to.deep.equal([
      UNAVAILABLE,
      '+OK\r\n',
      UNAVAILABLE,
      EXECABORT,
    ])
  })
})
