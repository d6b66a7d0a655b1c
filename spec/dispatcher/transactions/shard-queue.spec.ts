/** What is sent to a shard before the commands of a transaction, and what waits for the answers. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeShard, type Script, startFakeShard } from '../../support/fake-shard.ts'
import { pipeline, send, texts } from '../../support/pipeline.ts'
import { but, GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

const OK = '+OK\r\n'
const QUEUED = '+QUEUED\r\n'
const DONE = '*1\r\n+DONE\r\n'
const NOPERM = '-NOPERM no\r\n'
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'
/** SHA-1 of `return 1`. */
const SHA = 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'

const LOAD = 'SCRIPT LOAD return 1'

describe('ShardQueue', () => {
  let script: Script
  let shard: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    script = GOOD
    shard = await startFakeShard((request) => script(request))
    ambassador = await startAmbassadorFor([shard])
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await shard.stop()
  })

  const asked = () => shard.requests.map(({ text }) => text)

  /** Comes behind all that the client has caused so far. */
  async function passOver(): Promise<void> {
    const other = await ambassador.connect()
    await send(other, 'GET witness')
  }

  it('sends nothing behind the first MULTI until the shard has taken it', async () => {
    script = but(/^MULTI/, undefined)
    client.write(pipeline(['MULTI', 'ECHO a', 'SET k 1', 'EXEC']))
    await until(() => asked().includes('MULTI'))
    await passOver()
    expect(asked()).to.deep.equal(['MULTI', 'GET witness'])
    script = GOOD
    shard.requests[0]?.reply(OK)
    await texts(client, 4)
    expect(asked().filter((text) => text !== 'GET witness')).to.deep.equal([
      'MULTI',
      'SET k 1',
      'EXEC',
    ])
  })

  it('sends all at once where the shard has taken MULTI before', async () => {
    await send(client, 'MULTI', 'SET k 1', 'EXEC')
    script = but(/^MULTI/, undefined)
    client.write(pipeline(['MULTI', 'SET k 2']))
    await until(() => asked().includes('SET k 2'))
    expect(asked().slice(-2)).to.deep.equal(['MULTI', 'SET k 2'])
    shard.requests.findLast(({ text }) => text === 'MULTI')?.reply(OK)
    expect(await send(client, 'EXEC')).to.have.length(1)
  })

  it('answers every command with the error of a first MULTI, and sends none of them', async () => {
    script = but(/^MULTI/, NOPERM)
    const answers = await send(client, 'MULTI', 'SET k 1', 'SET k 2', 'EXEC')
    expect(answers).to.deep.equal([OK, NOPERM, NOPERM, EXECABORT])
    expect(asked()).to.deep.equal(['MULTI'])
  })

  it('lets the shard say what EXEC is where it takes MULTI no more', async () => {
    await send(client, 'MULTI', 'SET k 1', 'EXEC')
    const without = '-ERR EXEC without MULTI\r\n'
    script = (request) => (request.text === 'EXEC' ? without : but(/^MULTI/, NOPERM)(request))
    expect((await send(client, 'MULTI', 'SET k 2', 'EXEC')).at(-1)).to.equal(without)
    script = GOOD
    expect(await send(client, 'MULTI', 'SET k 3', 'EXEC')).to.deep.equal([OK, QUEUED, DONE])
  })

  it('loads a script over the shared connection, and what comes next waits for that', async () => {
    await client.request('EVAL', 'return 1', '0')
    script = but(/^SCRIPT/, undefined)
    client.write(pipeline(['MULTI', `EVALSHA ${SHA} 1 k`, 'EXEC']))
    await until(() => asked().some((text) => text.startsWith('EVALSHA')))
    const load = shard.requests.find(({ text }) => text === LOAD)
    const lease = shard.requests.at(-1)?.connection
    expect(load?.connection).to.equal(shard.requests[0]?.connection)
    // Another transaction passes it.
    await send(await ambassador.connect(), 'MULTI', 'SET k 1', 'EXEC')
    expect(lease?.requests.at(-1)?.text).to.match(/^EVALSHA/)
    load?.reply('$0\r\n\r\n')
    expect(await texts(client, 3)).to.deep.equal([OK, QUEUED, DONE])
  })
})
