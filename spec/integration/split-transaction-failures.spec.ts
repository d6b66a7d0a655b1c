/**
 * A shard that fails in the middle of a transaction over two: what the client is told of it, and what the
 * other shard has been asked to do. Rows of docs/faults.md are named in the titles.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { type FakeShard, type Script, startFakeShard } from '../support/fake-shard.ts'
import { send } from '../support/pipeline.ts'
import { but, diesAt, GOOD } from '../support/queueing-shard.ts'
import type { RawClient } from '../support/raw-client.ts'

const [[KEY_A = ''], [KEY_B = '']] = [keysOn(0, 2), keysOn(1, 2)]
const OK = '+OK\r\n'
const QUEUED = '+QUEUED\r\n'
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'
const LOST_B = '-ERR ambassador: shard b connection lost (may have executed)\r\n'
const PARTLY =
  '-ERR ambassador: a shard has discarded its part of the transaction, and others have executed theirs (may have executed)\r\n'
const UNEXPECTED = '-ERR ambassador: shards gave unexpected replies (may have executed)\r\n'

describe('a transaction over two shards', () => {
  let a: FakeShard
  let b: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  afterEach(async () => {
    await ambassador.stop()
    await a.stop()
    await b.stop()
  })

  async function start(scriptB: Script, scriptA: Script = GOOD, flags = {}): Promise<void> {
    a = await startFakeShard(scriptA)
    b = await startFakeShard(scriptB)
    ambassador = await startAmbassadorFor([a, b], { transactions: 'split', ...flags })
    client = await ambassador.connect()
  }

  const asked = (shard: FakeShard): string[] => shard.requests.map(({ text }) => text)
  const TWO = [`SET ${KEY_A} 1`, `SET ${KEY_B} 1`]

  it('is executed on both when both have queued it', async () => {
    await start(GOOD)
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      QUEUED,
      '*2\r\n+DONE\r\n+DONE\r\n',
    ])
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'EXEC'])
    expect(asked(b)).to.deep.equal(['MULTI', TWO[1], 'EXEC'])
  })

  it('sends no EXEC while a shard has not queued its part', async () => {
    await start(but(/^SET/, undefined))
    await send(client, 'MULTI', TWO[0] as string)
    client.write(Buffer.from(`${TWO[1]}\r\nEXEC\r\n`))
    while (!asked(b).some((text) => text.startsWith('SET'))) await b.nextRequest()
    // The other client's request comes behind whatever the first has caused.
    const other = await ambassador.connect()
    await send(other, `GET ${KEY_A}`)
    expect(asked(a)).to.not.include('EXEC')
    b.requests.at(-1)?.reply(QUEUED)
    expect((await client.replies(2)).map(String)).to.deep.equal([
      QUEUED,
      '*2\r\n+DONE\r\n+DONE\r\n',
    ])
  })

  it('row 98: is discarded when a shard refuses a command', async () => {
    await start(but(/^SET/, '-OOM no\r\n'))
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      '-OOM no\r\n',
      EXECABORT,
    ])
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
    expect(asked(b)).to.deep.equal(['MULTI', TWO[1], 'DISCARD'])
  })

  it('row 98: is discarded when a shard does not let us use MULTI', async () => {
    await start(but(/^MULTI/, '-NOPERM no\r\n'))
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      '-NOPERM no\r\n',
      EXECABORT,
    ])
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
    expect(asked(b)).to.not.include(TWO[1])
  })

  it('row 98: may have executed where a shard takes MULTI no more', async () => {
    let multis = 0
    await start((request) => {
      if (request.text === 'MULTI' && ++multis > 1) return '-NOPERM no\r\n'
      return GOOD(request)
    })
    await send(client, 'MULTI', ...TWO, 'EXEC')
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      QUEUED,
      UNEXPECTED,
    ])
    await ambassador.quiet()
    expect(asked(a).slice(-3)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
  })

  it('row 98: is discarded when a shard dies before it has queued its part', async () => {
    await start(diesAt(/^SET/))
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      LOST_B,
      EXECABORT,
    ])
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
  })

  it('row 98: is discarded when a shard dies after that, before EXEC', async () => {
    await start(GOOD)
    await send(client, 'MULTI', ...TWO)
    const lease = b.requests[0]?.connection
    lease?.reset()
    await lease?.closed()
    // Until the loss has been noticed, EXEC could still be sent.
    const witness = await ambassador.connect()
    await send(witness, `GET ${KEY_B}`, `GET ${KEY_A}`)
    const [answer = ''] = await send(client, 'EXEC')
    await ambassador.quiet()
    if (answer === EXECABORT) expect(asked(a).at(-1)).to.equal('DISCARD')
    else expect(answer).to.equal(LOST_B)
  })

  it('row 98: is aborted when a shard is away', async () => {
    await start(GOOD)
    await b.stop()
    const witness = await ambassador.connect()
    const unavailable = '-ERR ambassador: shard b unavailable (not sent)\r\n'
    while ((await send(witness, `GET ${KEY_B}`))[0] !== unavailable);
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([
      OK,
      QUEUED,
      unavailable,
      EXECABORT,
    ])
    await ambassador.quiet()
    expect(asked(a).at(-1)).to.equal('DISCARD')
  })

  it('row 99: may have executed when a shard dies over EXEC', async () => {
    await start(diesAt(/^EXEC/))
    expect(await send(client, 'MULTI', ...TWO, 'EXEC')).to.deep.equal([OK, QUEUED, QUEUED, LOST_B])
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'EXEC'])
  })

  it('row 99: may have executed when a shard does not answer EXEC in time', async () => {
    await start(but(/^EXEC/, undefined), GOOD, { requestTimeoutMs: '300' })
    expect((await send(client, 'MULTI', ...TWO, 'EXEC')).at(-1)).to.equal(
      '-ERR ambassador: shard b timed out (may have executed)\r\n',
    )
  })

  it('row 99: may have executed when a shard discards at EXEC what the other has executed', async () => {
    await start(but(/^EXEC/, '-EXECABORT Transaction discarded because of: OOM\r\n'))
    expect((await send(client, 'MULTI', ...TWO, 'EXEC')).at(-1)).to.equal(PARTLY)
  })

  it('row 99: passes on the error when all shards discard at EXEC', async () => {
    const refuses = but(/^EXEC/, '-EXECABORT Transaction discarded because of: OOM\r\n')
    await start(refuses, refuses)
    expect((await send(client, 'MULTI', ...TWO, 'EXEC')).at(-1)).to.equal(
      '-EXECABORT Transaction discarded because of: OOM\r\n',
    )
  })

  it('row 99: may have executed when a shard answers less than it owes', async () => {
    await start(but(/^EXEC/, '*0\r\n'))
    expect((await send(client, 'MULTI', ...TWO, 'EXEC')).at(-1)).to.equal(UNEXPECTED)
  })

  it('asks the shard of watched keys first, and the other not at all when they have changed', async () => {
    await start(but(/^EXEC/, '*-1\r\n'))
    const lines = [`WATCH ${KEY_B}`, 'MULTI', ...TWO, 'EXEC']
    expect((await send(client, ...lines)).at(-1)).to.equal('*-1\r\n')
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
  })

  it('row 100: asks the other shard nothing when that of the watched keys dies over EXEC', async () => {
    await start(diesAt(/^EXEC/))
    const lines = [`WATCH ${KEY_B}`, 'MULTI', ...TWO, 'EXEC']
    expect((await send(client, ...lines)).at(-1)).to.equal(LOST_B)
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', TWO[0], 'DISCARD'])
  })

  it('row 100: may have executed when the other shard dies after that of the watched keys', async () => {
    await start(diesAt(/^EXEC/))
    const lines = [`WATCH ${KEY_A}`, 'MULTI', ...TWO, 'EXEC']
    expect((await send(client, ...lines)).at(-1)).to.equal(LOST_B)
    expect(asked(a)).to.deep.equal([`WATCH ${KEY_A}`, 'MULTI', TWO[0], 'EXEC'])
  })

  it('starts clean after a failure', async () => {
    let dies = true
    await start((request) => {
      if (request.text !== 'EXEC' || !dies) return GOOD(request)
      request.connection.reset()
      return undefined
    })
    await send(client, 'MULTI', ...TWO, 'EXEC')
    dies = false
    // The shard's other connections are up again when it serves.
    while ((await send(client, `GET ${KEY_B}`))[0] !== QUEUED);
    expect((await send(client, 'MULTI', ...TWO, 'EXEC')).at(-1)).to.equal(
      '*2\r\n+DONE\r\n+DONE\r\n',
    )
  })
})
