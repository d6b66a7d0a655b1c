/**
 * Nodes of a cluster that lie, do not agree or hang. Whatever they say, a client gets no redirect, a
 * request ends within bounds, nobody is logged in to who is not one of the cluster, and the slots of
 * other nodes are served meanwhile.
 */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import { type FakeCluster, type Play, startFakeCluster } from '../../support/fake-cluster.ts'
import { type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

/** Slot 866 of node 0, and 12182 of node 1. */
const ON_FIRST = 'hello'
const ON_SECOND = 'foo'
const SLOT = 866

describe('nodes that lie', () => {
  let cluster: FakeCluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let thief: FakeShard

  beforeEach(async () => {
    thief = await startFakeShard(() => '+OK\r\n')
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
    await thief.stop()
  })

  async function start(play: Play, flags: Readonly<Record<string, string>> = {}): Promise<void> {
    cluster = await startFakeCluster(2, play)
    ambassador = await startAmbassadorForCluster(cluster.seeds, flags)
    client = await ambassador.connect()
  }

  /** The node plays for ON_FIRST; all else is answered OK. */
  function about(play: Play): Play {
    return (request, node) => (request.text.includes(ON_FIRST) ? play(request, node) : '+OK\r\n')
  }

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  function address(at: number): string {
    return cluster.nodes[at]?.address ?? ''
  }

  /** The request ends with an error of ours, and the others' slots are served before. */
  async function isDeclined(): Promise<void> {
    const other = await ambassador.connect()
    const reply = client.request('GET', ON_FIRST)
    expect((await other.request('GET', ON_SECOND)).toString()).to.equal('+OK\r\n')
    expect((await reply).toString()).to.match(
      /^-ERR ambassador: shard \S+ unavailable \(not executed\)\r\n$/,
    )
  }

  it('send in circles', async () => {
    await start(
      about((_, node) => {
        return `-MOVED ${SLOT} ${node === cluster.nodes[0] ? address(1) : address(0)}\r\n`
      }),
    )
    await isDeclined()
    const asked = [...cluster.asked(0), ...cluster.asked(1)].filter((text) =>
      text.includes(ON_FIRST),
    )
    expect(asked).to.have.length(17)
  })

  it('send to themselves: over another connection', async () => {
    let isLucky = false
    await start(about(() => (isLucky ? '+lucky\r\n' : `-MOVED ${SLOT} ${address(0)}\r\n`)))
    const first = await cluster.nodes[0]?.shard.connection(1)
    const reply = client.request('GET', ON_FIRST)
    await until(() => cluster.asked(0).length > 1)
    isLucky = true
    expect((await reply).toString()).to.equal('+lucky\r\n')
    expect(first?.socket.destroyed).to.equal(true)
    isLucky = false
    await isDeclined()
  })

  for (const kind of ['MOVED', 'ASK']) {
    it(`send to a stranger by ${kind}, who hears nothing from us`, async () => {
      await start(about(() => `-${kind} ${SLOT} 127.0.0.1:${thief.port}\r\n`))
      await isDeclined()
      expect(thief.connections).to.have.length(0)
    })
  }

  it('send to a new node that two of them list: behind ASKING, in one write', async () => {
    await start(about(() => `-ASK ${SLOT} 127.0.0.1:${thief.port}\r\n`))
    const line = `${'9'.repeat(40)} 127.0.0.1:${thief.port}@1 master - 0 0 9 connected`
    cluster.strangers.push(line)
    expect(await ask('GET', ON_FIRST)).to.equal('+OK\r\n')
    expect(thief.requests.map(({ text }) => text)).to.deep.equal(['ASKING', `GET ${ON_FIRST}`])
  })

  const nonsense = [
    'MOVED 99999 127.0.0.1:1',
    'MOVED 866 ?:7001',
    'MOVED 867 127.0.0.1:1',
    'ASK',
    'MOVED 866 127.0.0.1:0',
  ]
  for (const line of nonsense) {
    it(`answer nonsense: ${line}`, async () => {
      await start(about(() => `-${line}\r\n`))
      await isDeclined()
    })
  }

  it('name the host that was asked by none', async () => {
    const port = () => cluster.nodes[1]?.shard.port
    await start(
      about((_, node) => {
        return node === cluster.nodes[0] ? `-MOVED ${SLOT} :${port()}\r\n` : '+moved\r\n'
      }),
    )
    expect(await ask('GET', ON_FIRST)).to.equal('+moved\r\n')
  })

  for (const code of ['TRYAGAIN', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'READONLY']) {
    it(`say ${code} for longer than a request may take`, async () => {
      await start(
        about(() => `-${code} for ever\r\n`),
        { requestTimeoutMs: '300' },
      )
      // At the deadline it may be on its way once more.
      expect(await ask('GET', ON_FIRST)).to.match(/\((not|may have) executed\)\r\n$/)
    })

    it(`say ${code} for a while`, async () => {
      let times = 0
      await start(about(() => (++times < 4 ? `-${code} for now\r\n` : '+at last\r\n')))
      expect(await ask('GET', ON_FIRST)).to.equal('+at last\r\n')
      expect(times).to.equal(4)
    })
  }

  it('take a later request of a client before an earlier one', async () => {
    await start(about(({ text }) => (text.includes('first') ? '-TRYAGAIN yet\r\n' : '+second\r\n')))
    client.write(encodeRequest('SET', ON_FIRST, 'first'))
    client.write(encodeRequest('SET', ON_FIRST, 'second'))
    const replies = (await client.replies(2)).map((reply) => reply.toString())
    expect(replies[0]).to.contain('(not executed)')
    expect(replies[1]).to.equal('+second\r\n')
    expect(cluster.asked(0).filter((text) => text.includes('first'))).to.have.length(1)
  })

  it('refuse several requests of a client, which keep their order', async () => {
    let isReady = false
    await start(about(({ text }) => (isReady ? `+${text.slice(-1)}\r\n` : '-TRYAGAIN yet\r\n')))
    for (const text of ['1', '2', '3']) client.write(encodeRequest('SET', ON_FIRST, text))
    await until(() => cluster.asked(0).length >= 3)
    isReady = true
    const replies = (await client.replies(3)).map((reply) => reply.toString())
    expect(replies).to.deep.equal(['+1\r\n', '+2\r\n', '+3\r\n'])
    expect(
      cluster
        .asked(0)
        .slice(-3)
        .map((text) => text.slice(-1)),
    ).to.deep.equal(['1', '2', '3'])
  })

  it('hang: what they were sent may have been executed', async () => {
    await start(
      about(() => undefined),
      { requestTimeoutMs: '300' },
    )
    const other = await ambassador.connect()
    const reply = client.request('GET', ON_FIRST)
    expect((await other.request('GET', ON_SECOND)).toString()).to.equal('+OK\r\n')
    expect((await reply).toString()).to.match(/timed out \(may have executed\)\r\n$/)
  })

  it('send on, and who gets the request hangs: it ends in its time', async () => {
    await start(
      about((_, node) =>
        node === cluster.nodes[0] ? `-MOVED ${SLOT} ${address(1)}\r\n` : undefined,
      ),
      { requestTimeoutMs: '300' },
    )
    expect(await ask('GET', ON_FIRST)).to.match(/timed out \(may have executed\)\r\n$/)
  })
})
