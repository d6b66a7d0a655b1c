/** Holds askers.ts, node-asker.ts and refresh-clock.ts as well. @needs redis-server */
import { expect } from 'chai'
import { Belief } from '../../../lib/control/cluster/belief.ts'
import { noClusterCounts } from '../../../lib/control/cluster/change.ts'
import {
  ClusterWatch,
  type ClusterWatchOptions,
} from '../../../lib/control/cluster/cluster-watch.ts'
import { type ClusterView, ownerAt, SLOT_COUNT } from '../../../lib/control/cluster/view.ts'
import { tlsOptions } from '../../../lib/upstream/connection/making/dial.ts'
import { Authority, pem } from '../../support/certificates.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { bulk } from '../../support/frames.ts'
import { ifSpecFails } from '../../support/left-behind.ts'
import { LogLines } from '../../support/log-lines.ts'
import { freePort } from '../../support/ports.ts'
import { until } from '../../support/until.ts'

const HOUR_MS = 3_600_000

class Rig {
  readonly log = new LogLines()
  readonly counts = noClusterCounts()
  readonly views: ClusterView[] = []
  /** Ports of suspects that have turned out to be awake. */
  readonly awake: number[] = []
  readonly watch: ClusterWatch

  constructor(ports: readonly number[], options: Partial<ClusterWatchOptions> = {}) {
    this.watch = new ClusterWatch({
      seeds: ports.map((port) => ({ host: '127.0.0.1', port })),
      credentials: { username: undefined, password: undefined },
      dialled: (address) => address,
      belief: new Belief({ proven: false, now: () => performance.now() }),
      addressMap: new Map(),
      refreshMs: HOUR_MS,
      connectTimeoutMs: 1000,
      now: () => performance.now(),
      logger: this.log,
      counts: this.counts,
      observer: {
        changed: (view) => this.views.push(view),
        awake: ({ port }) => this.awake.push(port),
      },
      ...options,
    })
    ifSpecFails(() => this.watch.close())
    this.watch.start()
  }

  get covered(): number {
    return this.watch.view?.covered ?? 0
  }

  /** The port of a slot's owner. */
  owner(slot: number): number | undefined {
    return this.watch.view && ownerAt(this.watch.view, slot)?.address.port
  }

  get messages(): string[] {
    return this.log.lines.map(({ level, message }) => `${level} ${message}`)
  }

  async learnt(): Promise<void> {
    await until(() => this.covered > 0, 5)
  }

  /** How often the map was looked at. */
  get looks(): number {
    return Object.values(this.counts.refreshes).reduce((sum, count) => sum + count, 0)
  }
}

function at(port: number) {
  return { host: '127.0.0.1', port }
}

describe('ClusterWatch', () => {
  describe('over a real cluster', () => {
    let cluster: Cluster
    let rig: Rig | undefined

    before(async () => {
      cluster = await startCluster({ replicas: 1, nodeTimeoutMs: 1500 })
    })
    afterEach(() => rig?.watch.close())
    after(() => cluster.stop())

    function ports(servers: readonly ClusterServer[] = cluster.servers): number[] {
      return servers.map(({ port }) => port)
    }

    it('learns masters, replicas and slots from one seed, while the others are away or no cluster', async () => {
      const stranger = await startFakeShard(
        () => '-ERR This instance has cluster support disabled\r\n',
      )
      const [, , , , last] = ports()
      rig = new Rig([await freePort(), stranger.port, last ?? 0])
      await until(() => rig?.covered === SLOT_COUNT, 5)
      const masters = await cluster.masters()
      expect(rig.watch.view?.nodes.map(({ address }) => address.port)).to.have.members(
        ports(masters),
      )
      for (const { replicas } of rig.watch.view?.nodes ?? []) expect(replicas).to.have.length(1)
      for (const slot of [0, 8000, SLOT_COUNT - 1]) {
        expect(rig.owner(slot)).to.equal((await cluster.ownerOf(slot)).port)
      }
      expect(rig.watch.epoch).to.be.at.least(3)
      await stranger.stop()
    })

    it('begins where a name leads', async () => {
      rig = new Rig([], { seeds: [{ host: 'localhost', port: ports()[0] ?? 0 }] })
      await until(() => rig?.covered === SLOT_COUNT, 5)
    })

    it('sees a slot that has moved after any sign, in one log line', async () => {
      rig = new Rig(ports())
      await rig.learnt()
      const from = await cluster.ownerOf(5)
      const to = (await cluster.masters()).find((each) => each !== from)
      if (to === undefined) throw new Error('there is one master only')
      await cluster.moveSlot(5, to)
      await cluster.settled()
      rig.log.clear()
      rig.watch.refresh('moved')
      await until(() => rig?.owner(5) === to.port, 5)
      const [{ facts } = { facts: {} }] = rig.log.lines
      expect(rig.messages).to.deep.equal(['info cluster map changed'])
      expect(facts).to.deep.include({
        moves: [`${from.address} -> ${to.address} (1 slots)`],
        uncovered: 0,
      })
      await cluster.moveSlot(5, from)
    })

    it('believes a redirect at once', async () => {
      rig = new Rig(ports())
      await rig.learnt()
      const other = (await cluster.masters()).find(({ port }) => port !== rig?.owner(9))
      rig.watch.slotMoved(9, at(other?.port ?? 0))
      expect(rig.owner(9)).to.equal(other?.port)
      expect(rig.views).to.have.length(2)
      rig.watch.slotMoved(9, at(await freePort()))
      expect(rig.owner(9), 'a stranger').to.equal(other?.port)
    })

    it('finds the heir of a master that hangs by itself, and takes the old one for none when it wakes (row 90)', async () => {
      rig = new Rig(ports())
      await rig.learnt()
      const master = await cluster.ownerOf(0)
      const replicas = await cluster.replicasOf(master)
      await master.kill('SIGSTOP')
      rig.watch.suspect(at(master.port))
      const heir = await cluster.untilReplaced(master, replicas)
      await until(() => rig?.owner(0) === heir.port, 5)
      expect(rig.counts.failovers).to.equal(1)
      expect(rig.counts.failoverSeconds).to.be.above(0)
      await master.kill('SIGCONT')
      rig.watch.refresh('timeout')
      await cluster.settled()
      expect(rig.owner(0)).to.equal(heir.port)
    })

    it('goes on when the node that it asks is killed', async () => {
      rig = new Rig(ports())
      await rig.learnt()
      const master = await cluster.ownerOf(SLOT_COUNT - 1)
      const replicas = await cluster.replicasOf(master)
      await master.kill()
      rig.watch.suspect(at(master.port))
      const heir = await cluster.untilReplaced(master, replicas)
      await until(() => rig?.owner(SLOT_COUNT - 1) === heir.port, 5)
      await master.start()
      await cluster.settled()
    })

    it('takes names that nodes announce, and what they are called where they announce none', async () => {
      for (const server of cluster.servers) {
        await server.ask('CONFIG', 'SET', 'cluster-announce-hostname', 'localhost')
        await server.ask('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'hostname')
      }
      rig = new Rig(ports())
      const hosts = () => rig?.watch.view?.nodes.map(({ address }) => address.host) ?? []
      // Names travel from node to node.
      await until(() => {
        rig?.watch.refresh('moved')
        return hosts().length === 3 && hosts().every((host) => host === 'localhost')
      }, 20)
      for (const server of cluster.servers) {
        await server.ask('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'unknown-endpoint')
      }
      rig.watch.close()
      rig = new Rig(ports())
      await rig.learnt()
      expect(hosts()).to.deep.equal(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
      for (const server of cluster.servers) {
        await server.ask('CONFIG', 'SET', 'cluster-preferred-endpoint-type', 'ip')
      }
    })
  })

  it('knows nodes by their TLS ports and certificates, and asks with a password', async () => {
    const authority = new Authority()
    const { cert, key } = authority.issue('IP:127.0.0.1')
    const tls = { cert, key, authority: authority.cert }
    const cluster = await startCluster({ masters: 1, tls, password: 'secret' })
    const ca = String(pem(authority.cert))
    const settings = {
      authorities: ca,
      certificate: undefined,
      key: undefined,
      serverName: undefined,
    }
    const [server] = cluster.servers
    const rig = new Rig([server?.tlsPort ?? 0], {
      credentials: { username: undefined, password: 'secret' },
      dialled: ({ host, port }) => ({
        host,
        port,
        tls: tlsOptions({ ...settings, insecure: false }, host),
      }),
      belief: new Belief({ proven: true, now: () => performance.now() }),
    })
    await rig.learnt()
    expect(rig.owner(0)).to.equal(server?.tlsPort)
    rig.watch.close()
    await cluster.stop()
  })

  describe('over nodes that say what they like', () => {
    const shards: FakeShard[] = []
    let rig: Rig | undefined

    afterEach(async () => {
      rig?.watch.close()
      for (const shard of shards.splice(0)) await shard.stop()
    })

    /** `slots` is asked for each answer to CLUSTER SLOTS; undefined: it does not answer. */
    async function node(
      slots: () => string | undefined,
      nodes = () => '-ERR unknown subcommand\r\n',
    ): Promise<FakeShard> {
      const shard = await startFakeShard(({ text }) => {
        if (text === 'CLUSTER NODES') return nodes()
        return slots()
      })
      shards.push(shard)
      return shard
    }

    function asked(shard: FakeShard): number {
      return shard.requests.filter(({ text }) => text === 'CLUSTER SLOTS').length
    }

    /** All slots in equal runs, by port. */
    function slotsOf(...ports: readonly number[]): string {
      const entries = ports.map((port, index) => {
        const [first, end] = [index, index + 1].map((each) =>
          Math.floor((each * SLOT_COUNT) / ports.length),
        )
        const server = `*3\r\n${bulk('127.0.0.1')}:${port}\r\n${bulk(`id${port}`)}`
        return `*3\r\n:${first}\r\n:${Number(end) - 1}\r\n${server}`
      })
      return `*${ports.length}\r\n${entries.join('')}`
    }

    it('looks once for many signs at a time, and once more for those that come meanwhile', async () => {
      const only = await node(() => slotsOf(only.port))
      rig = new Rig([only.port])
      for (let i = 0; i < 100; i++) rig.watch.refresh('moved')
      await rig.learnt()
      for (let i = 0; i < 100; i++) rig.watch.refresh('moved')
      await until(() => asked(only) === 2, 5)
      expect(rig.looks).to.equal(2)
    })

    it('asks another node each time', async () => {
      const ports: number[] = []
      const view = () => slotsOf(...ports)
      const [one, two, three] = [await node(view), await node(view), await node(view)]
      ports.push(one.port, two.port, three.port)
      rig = new Rig([one.port])
      await rig.learnt()
      for (let looks = 2; looks <= 7; looks++) {
        rig.watch.refresh('moved')
        await until(() => rig?.looks === looks, 5)
      }
      await until(() => asked(one) + asked(two) + asked(three) === 7, 5)
      for (const each of [one, two, three]) expect(asked(each)).to.be.at.least(2)
    })

    it('takes nothing from what an earlier watch believed on the word of a node that is behind', async () => {
      const two = await node(() => undefined)
      const line = (port: number, epoch: number): string => {
        return `id${port} 127.0.0.1:${port}@1 master - 0 0 ${epoch} connected\n`
      }
      const one: FakeShard = await node(
        () => slotsOf(one.port),
        () => `${bulk(line(one.port, 2) + line(two.port, 1))}`,
      )
      const owner = ({ port }: FakeShard) => ({ id: `id${port}`, address: at(port), replicas: [] })
      const belief = new Belief({ proven: false, now: () => performance.now() })
      belief.told({
        ...{ by: at(two.port), askedAtMs: performance.now(), failed: new Set() },
        ranges: [
          { first: 0, last: 99, owner: owner(one) },
          { first: 100, last: SLOT_COUNT - 1, owner: owner(two) },
        ],
        epochs: new Map([one, two].map(({ port }, index) => [`id${port}`, index + 2])),
      })
      rig = new Rig([one.port], { belief })
      await until(() => asked(one) === 1, 5)
      rig.watch.refresh('moved')
      await until(() => asked(one) === 2, 5)
      expect(rig.owner(5000)).to.equal(two.port)
      expect(rig.views).to.deep.equal([])
    })

    it('passes over a node that hangs, and misses it until it answers', async () => {
      let hangs = false
      const view = () => slotsOf(one.port, two.port)
      const one = await node(() => (hangs ? undefined : view()))
      const two = await node(view)
      rig = new Rig([two.port])
      await rig.learnt()
      hangs = true
      rig.watch.suspect(at(one.port))
      expect(rig.watch.missing).to.deep.equal([`127.0.0.1:${one.port}`])
      const before = asked(two)
      await until(() => asked(two) >= before + 3, 5)
      expect(rig.counts.refreshes.uncovered).to.be.at.least(1)
      expect(rig.awake).to.deep.equal([])
      hangs = false
      await until(() => rig?.watch.missing.length === 0, 5)
    })

    it('takes a master for awake only when another has been asked after it answered (row 96)', async () => {
      const order: string[] = []
      const told = (name: string): string => {
        order.push(name)
        return slotsOf(one.port, two.port)
      }
      let hangs = false
      const one = await node(() => (hangs ? undefined : told('one')))
      const two = await node(() => told('two'))
      rig = new Rig([two.port])
      await rig.learnt()
      hangs = true
      rig.watch.suspect(at(one.port))
      const before = asked(two)
      await until(() => asked(two) >= before + 2, 5)
      hangs = false
      await until(() => rig?.awake.length === 1, 5)
      expect(rig.awake).to.deep.equal([one.port])
      expect(order.lastIndexOf('two')).to.be.above(order.indexOf('one', 1))
    })

    it('connects to no stranger that one node alone names (row 91)', async () => {
      const stranger = await node(() => slotsOf(stranger.port))
      let lies = false
      const view = () => slotsOf(one.port, two.port)
      const one = await node(() => (lies ? slotsOf(stranger.port) : view()))
      const two = await node(view)
      rig = new Rig([one.port])
      await rig.learnt()
      lies = true
      for (let looks = 2; looks <= 6; looks++) {
        rig.watch.refresh('moved')
        await until(() => (rig?.looks ?? 0) >= looks, 5)
      }
      await until(() => asked(one) >= 2 && asked(two) >= 2, 5)
      expect(rig.owner(0)).to.equal(one.port)
      expect(stranger.connections).to.have.length(0)
      expect(rig.views).to.have.length(1)
    })

    it('says once that no node answers, once that one does again, and what is no cluster', async () => {
      const only = await node(() => '-ERR This instance has cluster support disabled\r\n')
      rig = new Rig([only.port])
      await until(() => asked(only) >= 3, 5)
      expect(rig.messages).to.deep.equal([
        'warn server is no node of a Redis Cluster',
        'warn no node of the cluster answers, slots stay where they are',
      ])
      const { port } = only
      await only.stop()
      shards.push(await startFakeShard(() => slotsOf(port), { port }))
      await rig.learnt()
      await until(() => rig?.messages.at(-1) === 'info nodes of the cluster answer', 5)
      expect(rig.messages.filter((message) => message.startsWith('warn'))).to.have.length(2)
    })

    it('starts with a cluster that comes later (row 92)', async () => {
      const port = await freePort()
      rig = new Rig([port])
      await until(() => (rig?.looks ?? 0) >= 2, 5)
      shards.push(await startFakeShard(() => slotsOf(port), { port }))
      await rig.learnt()
      expect(rig.owner(0)).to.equal(port)
    })

    it('bears answers that are none', async () => {
      const replies = [
        '+OK\r\n',
        '*1\r\n:1\r\n',
        '$-1\r\n',
        '-LOADING Redis is loading\r\n',
        ':99\r\n',
      ]
      const only = await node(() => replies.shift() ?? slotsOf(only.port))
      rig = new Rig([only.port])
      await until(() => rig?.covered === SLOT_COUNT, 5)
      expect(replies).to.deep.equal([])
    })
  })
})
