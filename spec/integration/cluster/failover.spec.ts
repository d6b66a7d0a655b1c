/** Masters of a real cluster that hand over, die or hang while clients use them. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, SILENT } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { type FakeCluster, type FakeNode, startFakeCluster } from '../../support/fake-cluster.ts'
import type { FakeRequest } from '../../support/fake-shard.ts'
import { connectRaw, type RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

/** Long enough for a failover. */
const FLAGS = { requestTimeoutMs: '10000' }

/** Keeps a server busy for 1.3 s. */
const BUSY = `
  local first = redis.call('TIME')
  local passed = 0
  while passed < 1300000 do
    local now = redis.call('TIME')
    passed = (now[1] - first[1]) * 1000000 + now[2] - first[2]
  end`

/** What one client was told that counts on one key for as long as it may. */
interface Counted {
  acknowledged: number
  readonly errors: string[]
}

describe('masters that fail over', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 1500 })
    ambassador = await startAmbassadorForCluster(cluster.addresses, FLAGS)
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  /** Counts on a key of each server until the function returned is called. */
  function count(keys: readonly string[], clients: readonly RawClient[]) {
    const told = keys.map((): Counted => ({ acknowledged: 0, errors: [] }))
    let isOver = false
    const done = clients.map(async (each, at) => {
      const key = keys[at] as string
      const counted = told[at] as Counted
      while (!isOver) {
        const reply = (await each.request('INCR', key)).toString()
        if (reply.startsWith(':')) counted.acknowledged++
        else counted.errors.push(reply)
      }
    })
    const stop = async (): Promise<readonly Counted[]> => {
      isOver = true
      await Promise.all(done)
      return told
    }
    return { told, stop }
  }

  async function keysOf(servers: readonly ClusterServer[]): Promise<string[]> {
    return Promise.all(servers.map((server) => cluster.keyOn(server)))
  }

  it('costs no error when it is planned, and loses nothing', async () => {
    const masters = await cluster.masters()
    const keys = await keysOf(masters)
    const clients = await Promise.all(keys.map(() => ambassador.connect()))
    const { stop } = count(keys, clients)
    await cluster.failOver(masters[0] as ClusterServer)
    await cluster.settled()
    await cluster.failOver(masters[1] as ClusterServer)
    await cluster.settled()
    const told = await stop()
    for (const [at, { errors, acknowledged }] of told.entries()) {
      expect(errors).to.deep.equal([])
      const count = /\r\n(\d+)\r\n/.exec(await ask('GET', keys[at] as string))?.[1]
      expect(Number(count)).to.equal(acknowledged)
    }
  })

  it('costs no error to requests of other kinds either', async () => {
    const masters = await cluster.masters()
    const [first] = masters as [ClusterServer]
    const key = await cluster.keyOn(first)
    const [watched, list] = [`{${key}}watched`, `{${key}}list`]
    const many = Array.from({ length: 30 }, (_, at) => `many:${at}`)
    const INCREMENT = "return redis.call('INCR', KEYS[1])"
    const requests: readonly (readonly (readonly string[])[])[] = [
      [['MULTI'], ['INCR', key], ['EXEC']],
      [['WATCH', watched], ['GET', watched], ['MULTI'], ['SET', watched, '1'], ['EXEC']],
      [['EVAL', INCREMENT, '1', key]],
      [
        ['MSET', ...many.flatMap((each) => [each, '1'])],
        ['MGET', ...many],
      ],
      [['DBSIZE'], ['KEYS', 'many:*'], ['RANDOMKEY']],
      [['SCAN', '0', 'COUNT', '100']],
      [['SUNION', `{${key}}set`, 'another']],
      [
        ['RPUSH', list, 'x'],
        ['BLPOP', list, '0'],
      ],
    ]
    const errors: string[] = []
    let isOver = false
    const done = requests.map(async (conversation) => {
      const each = await ambassador.connect()
      await each.request('DEL', ...many)
      while (!isOver) {
        for (const words of conversation) {
          const reply = String(await each.request(...words))
          if (/^-|\n-/.test(reply)) errors.push(`${words[0]}: ${reply}`)
        }
      }
    })
    const blocked = client.request('BLPOP', `${list}:blocked`, '0')
    for (const master of masters) {
      await cluster.failOver(master)
      await cluster.settled()
    }
    isOver = true
    await Promise.all(done)
    expect(errors).to.deep.equal([])
    const pusher = await ambassador.connect()
    expect(String(await pusher.request('RPUSH', `${list}:blocked`, 'x'))).to.equal(':1\r\n')
    expect(String(await blocked)).to.contain('blocked')
  })

  for (const mode of ['FORCE', 'TAKEOVER'] as const) {
    it(`costs no error when it is a ${mode} and the master lives`, async () => {
      const masters = await cluster.masters()
      const keys = await keysOf(masters)
      const clients = await Promise.all(keys.map(() => ambassador.connect()))
      const { told, stop } = count(keys, clients)
      await until(() => told.every(({ acknowledged }) => acknowledged > 10))
      await cluster.failOver(masters[0] as ClusterServer, mode)
      await cluster.settled()
      for (const { errors } of await stop()) expect(errors).to.deep.equal([])
    })
  }

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    it(`lets requests wait for the heir of a master that got ${signal}`, async () => {
      const masters = await cluster.masters()
      const [victim] = masters as [ClusterServer]
      const replicas = await cluster.replicasOf(victim)
      const keys = await keysOf(masters)
      const clients = await Promise.all(keys.map(() => ambassador.connect()))
      const { told, stop } = count(keys, clients)
      await until(() => told.every(({ acknowledged }) => acknowledged > 10))
      await victim.kill(signal)
      await cluster.untilReplaced(victim, replicas)
      const before = told[0]?.acknowledged ?? 0
      await until(() => (told[0]?.acknowledged ?? 0) > before)
      const counted = await stop()
      // What was on the wire may have been executed, and nobody else is told of any harm.
      for (const { errors } of counted) {
        expect(errors.length).to.be.at.most(1)
        for (const error of errors) expect(error).to.contain('(may have executed)')
      }
      await victim.kill('SIGCONT').catch(() => {})
    })
  }

  it('believes nothing that a master says which has hung while its heir took over (row 96)', async () => {
    const masters = await cluster.masters()
    const [victim] = masters as [ClusterServer]
    const replicas = await cluster.replicasOf(victim)
    const key = await cluster.keyOn(victim)
    expect(await ask('INCR', key)).to.equal(':1\r\n')
    // Nobody else says anything: only its silence tells.
    await victim.kill('SIGSTOP')
    const replies = Promise.all(Array.from({ length: 5 }, () => ask('INCR', key)))
    const heir = await cluster.untilReplaced(victim, replicas)
    // It executes what is in its socket, and would say :2 to :6.
    await victim.kill('SIGCONT')
    for (const reply of await replies) expect(reply).to.contain('(may have executed)')
    expect(await heir.text('GET', key)).to.equal('1')
    expect(await ask('INCR', key)).to.equal(':2\r\n')
  })

  it('hears a master again that has hung and was not replaced', async () => {
    const [victim] = (await cluster.masters()) as [ClusterServer]
    // On a busy machine it would be replaced before it is heard again.
    const patience = ['CONFIG', 'SET', 'cluster-node-timeout', '30000']
    for (const server of cluster.servers) await server.ask(...patience)
    const key = await cluster.keyOn(victim)
    expect(await ask('INCR', key)).to.equal(':1\r\n')
    // It serves nobody for longer than a master may keep silent, and talks to the others all the while.
    const busy = await connectRaw(victim.port)
    const slept = busy.request('EVAL', BUSY, '1', key)
    const replies = await Promise.all(Array.from({ length: 5 }, () => ask('INCR', key)))
    expect(replies).to.deep.equal([2, 3, 4, 5, 6].map((count) => `:${count}\r\n`))
    await slept
    await busy.close()
  })
})

/** Keys of node 0 and of node 1. */
const [OF_OLD, OF_ANOTHER] = ['hello', 'foo'] as const

describe('a master whose heir is on the map before it knows', () => {
  let cluster: FakeCluster
  let old: FakeNode
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let owed: FakeRequest[]
  let isDown: boolean
  let maps: number

  beforeEach(async () => {
    owed = []
    isDown = false
    maps = 0
    cluster = await startFakeCluster(2, play)
    await cluster.addReplica(0)
    old = cluster.nodes[0] as FakeNode
    ambassador = await startAmbassadorForCluster(cluster.seeds, {}, { ...SILENT, info: count })
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  function count(_facts: object, message?: string): void {
    if (message === 'cluster map changed') maps++
  }

  /** The old master answers by hand, its heir `:2`, and the other node once that the cluster is down. */
  function play(request: FakeRequest, node: FakeNode): string | undefined {
    if (node !== old) {
      const reply = isDown ? '-CLUSTERDOWN The cluster is down\r\n' : ':2\r\n'
      isDown = false
      return reply
    }
    owed.push(request)
    return undefined
  }

  /** The map names the heir while the old master owes a reply. */
  async function depose(): Promise<{ readonly reply: Promise<Buffer> }> {
    const reply = client.request('INCR', OF_OLD)
    await until(() => owed.length === 1 && maps === 1)
    cluster.promote(0)
    isDown = true
    const other = await ambassador.connect()
    expect((await other.request('INCR', OF_ANOTHER)).toString()).to.equal(':2\r\n')
    await until(() => maps === 2)
    expect((await other.request('INCR', OF_OLD)).toString()).to.equal(':2\r\n')
    return { reply }
  }

  it('may still answer what it was sent (row 114)', async () => {
    const { reply } = await depose()
    owed[0]?.reply(':1\r\n')
    expect((await reply).toString()).to.equal(':1\r\n')
  })

  it('may refuse it, and the heir is sent the same', async () => {
    const { reply } = await depose()
    owed[0]?.reply(`-MOVED 866 ${cluster.nodes[0]?.address}\r\n`)
    expect((await reply).toString()).to.equal(':2\r\n')
  })

  it('is given up when it says nothing', async () => {
    const { reply } = await depose()
    expect((await reply).toString()).to.contain('connection lost (may have executed)')
    expect(owed).to.have.length(1)
  })

  it('is not heard when the nodes call it failed', async () => {
    cluster.failed.add(old)
    const { reply } = await depose()
    owed[0]?.reply(':1\r\n')
    expect((await reply).toString()).to.contain('connection lost (may have executed)')
  })
})
