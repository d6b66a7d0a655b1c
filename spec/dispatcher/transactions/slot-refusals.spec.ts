/** Redirects in a transaction: no client sees one, and the next attempt goes where it leads. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import { type FakeCluster, type Play, startFakeCluster } from '../../support/fake-cluster.ts'
import { send } from '../../support/pipeline.ts'
import { but, diesAt, GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'

/** Slot 866, of the first node. */
const KEY = 'hello'
const SLOT = 866
const OK = '+OK\r\n'
const QUEUED = '+QUEUED\r\n'

describe('a transaction on a slot that a node refuses', () => {
  let cluster: FakeCluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  /** What the first node answers; the second is good. */
  let play: Play

  beforeEach(async () => {
    play = GOOD
    cluster = await startFakeCluster(2, (request, node) => {
      return node === cluster.nodes[0] ? play(request, node) : GOOD(request)
    })
    ambassador = await startAmbassadorForCluster(cluster.seeds)
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  const moved = () => `-MOVED ${SLOT} ${cluster.nodes[1]?.address}\r\n`

  it('has no effect when WATCH was refused, which the client does not hear', async () => {
    play = but(/^WATCH/, moved())
    const answers = await send(client, `WATCH ${KEY}`, 'MULTI', `SET ${KEY} 1`, 'EXEC')
    expect(answers).to.deep.equal([OK, OK, QUEUED, '*-1\r\n'])
    expect(cluster.asked(0)).to.not.include('EXEC')
  })

  it('is executed by the other node at the next attempt', async () => {
    play = but(/^WATCH/, moved())
    const lines = [`WATCH ${KEY}`, 'MULTI', `SET ${KEY} 1`, 'EXEC']
    await send(client, ...lines)
    expect((await send(client, ...lines)).at(-1)).to.equal('*1\r\n+DONE\r\n')
    expect(cluster.asked(1)).to.deep.equal([`WATCH ${KEY}`, 'MULTI', `SET ${KEY} 1`, 'EXEC'])
  })

  it('passes on what a node has against WATCH besides', async () => {
    const noperm = '-NOPERM no\r\n'
    play = but(/^WATCH/, noperm)
    expect(await send(client, `WATCH ${KEY}`)).to.deep.equal([noperm])
  })

  it('has no effect when the node dies over WATCH', async () => {
    play = diesAt(/^WATCH/)
    const answers = await send(client, `WATCH ${KEY}`, 'MULTI', `SET ${KEY} 1`, 'EXEC')
    expect(answers[0]).to.match(/^-ERR ambassador: shard \S+ connection lost/)
    expect(answers.slice(1)).to.deep.equal([OK, QUEUED, '*-1\r\n'])
  })

  it('is declined where it was too large to be kept until EXEC', async () => {
    play = but(/^SET/, moved())
    const answers = await send(
      client,
      'MULTI',
      ...Array.from({ length: 1100 }, () => `SET ${KEY} 1`),
      'EXEC',
    )
    expect(answers.at(-2)).to.match(/^-ERR ambassador: shard \S+ unavailable \(not executed\)\r\n$/)
  })
})
