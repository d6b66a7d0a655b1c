/** How reads find a server, with scripted servers behind a whole ambassador: what real ones do not do on demand. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeServer, startFakeServer } from '../../support/fake-replication.ts'
import type { FakeRequest } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'
import { LogLines } from '../../support/log-lines.ts'
import { until } from '../../support/until.ts'

describe('ReadLine', () => {
  let master: FakeServer
  let one: FakeServer
  let two: FakeServer
  let log: LogLines
  let ambassador: AmbassadorUnderTest

  beforeEach(async () => {
    master = await startFakeServer('master', 'master', { offset: 100, zone: 'z1' })
    one = await startFakeServer('one', 'slave', { offset: 100, zone: 'z1' })
    two = await startFakeServer('two', 'slave', { offset: 100, zone: 'z2' })
    log = new LogLines()
  })

  afterEach(async () => {
    await ambassador.stop()
    for (const server of [master, one, two]) await server.stop()
  })

  async function start(
    flags: Readonly<Record<string, string>>,
    replicas: readonly FakeServer[] = [one],
  ): Promise<void> {
    const list = replicas.map(({ port }) => `replica=127.0.0.1:${port}`).join('&')
    const shard = `redis://127.0.0.1:${master.port}?${list}`
    ambassador = await startAmbassadorFor([shard], flags, log)
    await until(() => reasons().filter((each) => each === '').length === replicas.length)
  }

  /** Of each line about a replica: why it is not read from, or nothing. */
  function reasons(): string[] {
    return log.lines.flatMap(({ facts, message }) => {
      if (!/^replica is /.test(message)) return []
      return 'reason' in facts ? String(facts.reason) : ''
    })
  }

  for (const refusal of ['LOADING Redis is loading', 'MASTERDOWN Link with MASTER is down']) {
    it(`goes to another server after ${refusal.split(' ')[0]}, and leaves the replica alone`, async () => {
      one.answer = () => `-${refusal}\r\n`
      await start({ readFrom: 'prefer-replica' })
      const client = await ambassador.connect()
      const requests = ['a', 'b', 'c'].map((key) => encodeRequest('GET', key).toString('latin1'))
      client.write(requests.join(''))
      for (const reply of await client.replies(3))
        expect(String(reply)).to.equal('$6\r\nmaster\r\n')
      expect(master.requests).to.deep.equal(['GET a', 'GET b', 'GET c'])
      expect(reasons().at(-1)).to.equal(refusal.split(' ')[0])
      await client.request('GET', 'd')
      expect(one.requests).to.not.include('GET d')
    })
  }

  it('passes on what is about the request, and a refusal where nobody else may be asked', async () => {
    one.answer = ({ text }: FakeRequest) => {
      return text === 'GET a' ? '-WRONGTYPE no string\r\n' : '-LOADING it loads\r\n'
    }
    await start({ readFrom: 'replica' })
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.equal('-WRONGTYPE no string\r\n')
    expect(String(await client.request('GET', 'b'))).to.equal('-LOADING it loads\r\n')
    expect(String(await client.request('GET', 'c'))).to.equal(
      '-ERR ambassador: shard a unavailable (not sent)\r\n',
    )
    expect(master.requests).to.deep.equal([])
  })

  it('sends a read twice at most, and a write never', async () => {
    const dies = ({ connection }: FakeRequest) => {
      connection.close()
      return undefined
    }
    for (const server of [master, one, two]) server.answer = dies
    await start({ readFrom: 'prefer-replica' }, [one, two])
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.match(/connection lost/)
    const sent = [master, one, two].flatMap(({ requests }) => requests)
    expect(sent).to.deep.equal(['GET a', 'GET a'])
    const other = await ambassador.connect()
    await until(() => log.lines.filter(({ message }) => message === 'shard up').length > 0)
    const reply = String(await other.request('SET', 'b', '1'))
    expect(reply).to.match(/connection lost \(may have executed\)|unavailable \(not sent\)/)
    const writes = [master, one, two]
      .flatMap(({ requests }) => requests)
      .filter((each) => /SET/.test(each))
    expect(writes.length).to.be.below(2)
  })

  it('answers within requestTimeoutMs, also where both servers say nothing', async () => {
    for (const server of [master, one]) server.answer = () => undefined
    await start({ readFrom: 'prefer-replica', requestTimeoutMs: '400' })
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.match(/timed out/)
    expect([...one.requests, ...master.requests]).to.deep.equal(['GET a', 'GET a'])
  })

  it('lets a write wait for the reads before it', async () => {
    let hanging: FakeRequest | undefined
    one.answer = (request) => {
      hanging = request
      return undefined
    }
    await start({ readFrom: 'prefer-replica' })
    const client = await ambassador.connect()
    client.write(encodeRequest('GET', 'a'))
    client.write(encodeRequest('SET', 'a', '1'))
    client.write(encodeRequest('GET', 'a'))
    await until(() => hanging !== undefined)
    await ambassador.connect().then((other) => other.request('SET', 'b', '1'))
    expect(master.requests).to.deep.equal(['SET b 1'])
    hanging?.reply('$3\r\none\r\n')
    const replies = (await client.replies(3)).map(String)
    expect(replies).to.deep.equal(['$3\r\none\r\n', '$6\r\nmaster\r\n', '$6\r\nmaster\r\n'])
    expect(master.requests).to.deep.equal(['SET b 1', 'SET a 1', 'GET a'])
  })

  it('comes back to no replica that lacks what the session has written', async () => {
    await start({ readFrom: 'prefer-replica', readAfterWriteMs: '1' })
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.include('one')
    master.told = { offset: 200 }
    await client.request('SET', 'a', '1')
    const asked = one.asked
    await until(() => one.asked > asked + 2)
    expect(String(await client.request('GET', 'a'))).to.include('master')
    one.told = { offset: 200 }
    await until(async () => String(await client.request('GET', 'a')).includes('one'))
  })

  it('goes on with another replica only if that is as far', async () => {
    await start({ readFrom: 'prefer-replica' }, [one, two])
    const clients = await Promise.all([ambassador.connect(), ambassador.connect()])
    const replies = await Promise.all(clients.map((each) => each.request('GET', 'a')))
    const at = replies.findIndex((reply) => String(reply).includes('one'))
    const client = clients[at]
    // From now on `two` is behind what `one` may have shown.
    master.told = { offset: 300 }
    one.told = { offset: 300 }
    const asked = one.asked
    await until(() => one.asked > asked + 1)
    expect(String(await client?.request('GET', 'a'))).to.include('one')
    await one.stop()
    await until(() => reasons().at(-1) !== '')
    expect(String(await client?.request('GET', 'a'))).to.include('master')
    two.told = { offset: 300 }
    await until(async () => String(await client?.request('GET', 'a')).includes('two'))
  })

  it('does not read from a replica of another master, and from one that is a master', async () => {
    await start({ readFrom: 'prefer-replica' })
    one.told = { offset: 100, history: 'another' }
    await until(() => reasons().at(-1) === 'its master is not the one of this shard')
    one.told = { offset: 100 }
    await until(() => reasons().at(-1) === '')
    one.told = { offset: 100, syncing: true }
    await until(() => reasons().at(-1) === 'it is copying its master')
    one.told = { offset: 100, linkUp: false }
    // The reason has changed, and not that there is one.
    const asked = one.asked
    await until(() => one.asked > asked + 1)
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.include('master')
    expect(reasons()).to.have.lengthOf(4)
  })

  it('reads in its own zone first where servers tell theirs', async () => {
    await start({ readFrom: 'nearest', zone: 'z2' }, [one, two])
    const client = await ambassador.connect()
    expect(String(await client.request('GET', 'a'))).to.include('two')
  })
})
