/**
 * Real Redis Clusters for specs, chaos and figures: made in seconds, and changed at will. Slots move key
 * by key, or stay open half way; replicas take over; servers die, hang, come back, join and leave.
 */
import type { Pair } from './certificates.ts'
import { type ClusterServer, startClusterServer } from './cluster-server.ts'
import { until } from './until.ts'

export interface ClusterSetup {
  /** Default: 3. They have the slots in equal runs. */
  readonly masters?: number
  /** Of each master. Default: 0. */
  readonly replicas?: number
  /** Milliseconds. Default: 2000. */
  readonly nodeTimeoutMs?: number
  /** What clients and servers must present. */
  readonly password?: string
  readonly tls?: Pair & { readonly authority: string }
  /** More arguments of each server. */
  readonly serverArgs?: readonly string[]
}

export const SLOTS = 16_384
/** Keys that MIGRATE takes at once. */
const KEYS_AT_ONCE = 100
const LOOK_AGAIN_MS = 20
/** After five seconds Redis gives a planned failover up. */
const FAILOVER_MS_MAX = 6000

/** A slot that is on its way from one master to another. */
export interface OpenSlot {
  readonly from: ClusterServer
  readonly to: ClusterServer
  /** Moves so many of its keys, default all. */
  moveKeys(count?: number): Promise<void>
  /** Moves the keys that are left, and makes `to` the owner. */
  finish(): Promise<void>
  /** Leaves it with its owner. Keys that have moved stay where they are. */
  abandon(): Promise<void>
}

/** What CLUSTER NODES says of one server. */
interface NodeLine {
  readonly id: string
  readonly flags: readonly string[]
  /** `-` for a master. */
  readonly masterId: string
  readonly slots: readonly string[]
}

/** Resolves when every server knows every other in its role. */
export async function startCluster(setup: ClusterSetup = {}): Promise<Cluster> {
  const cluster = new Cluster(setup)
  await cluster.start()
  return cluster
}

export class Cluster {
  /** Those that were masters at the start come first, then their replicas; then those that joined. */
  readonly servers: ClusterServer[] = []
  readonly #setup: ClusterSetup

  constructor(setup: ClusterSetup) {
    this.#setup = setup
  }

  /** `host:port` of all servers, as the option takes them. */
  get addresses(): string {
    return this.servers.map(({ address }) => address).join(',')
  }

  async start(): Promise<void> {
    const { masters: count = 3, replicas = 0 } = this.#setup
    const starting = Array.from({ length: count * (1 + replicas) }, () => this.#startServer())
    this.servers.push(...(await Promise.all(starting)))
    const masters = this.servers.slice(0, count)
    for (const [index, server] of masters.entries()) {
      const [first, end] = [index, index + 1].map((at) => Math.floor((at * SLOTS) / count))
      await server.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
      await server.ask('CLUSTER', 'ADDSLOTSRANGE', String(first), String(Number(end) - 1))
    }
    for (const server of this.servers.slice(1)) await this.#meet(server)
    await until(() => this.#allKnowAll(), LOOK_AGAIN_MS)
    for (const [index, server] of this.servers.slice(count).entries()) {
      await server.ask('CLUSTER', 'REPLICATE', masters[index % count]?.id ?? '')
    }
    await this.settled()
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  /** Resolves when all servers that run say the same of all that run, and every replica is in step. */
  async settled(): Promise<void> {
    let views: (string | undefined)[] = []
    const agree = until(async () => {
      views = await Promise.all(this.#running().map((server) => this.#viewOf(server)))
      return views.every((view) => view !== undefined && view === views[0])
    }, LOOK_AGAIN_MS)
    await agree.catch(async () => {
      const texts = this.#running().map(async (server, at) => {
        const nodes = await server.text('CLUSTER', 'NODES')
        return `${server.address} (${views[at] === undefined ? 'not in order' : 'in order'}):\n${nodes}`
      })
      throw new Error(`the nodes do not agree:\n${(await Promise.all(texts)).join('\n')}`)
    })
  }

  /** Those that own slots now. */
  async masters(): Promise<ClusterServer[]> {
    const lines = await this.#nodes(this.#anyRunning())
    return lines
      .filter((line) => isMaster(line) && isThere(line) && line.slots.length > 0)
      .map(({ id }) => this.#byId(id))
  }

  async replicasOf({ id }: ClusterServer): Promise<ClusterServer[]> {
    const lines = await this.#nodes(this.#anyRunning())
    return lines
      .filter((line) => line.masterId === id && isThere(line))
      .map((line) => this.#byId(line.id))
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#anyRunning().ask('CLUSTER', 'KEYSLOT', key))
  }

  async ownerOf(slot: number): Promise<ClusterServer> {
    const lines = await this.#nodes(this.#anyRunning())
    const owner = lines.find(({ slots }) => slots.some((range) => includes(range, slot)))
    if (owner === undefined) throw new Error(`nobody owns slot ${slot}`)
    return this.#byId(owner.id)
  }

  async ownerOfKey(key: string): Promise<ClusterServer> {
    return this.ownerOf(await this.slotOf(key))
  }

  /** `key:<number>`, the first that this server owns. */
  async keyOn(server: ClusterServer, key = 'key'): Promise<string> {
    for (let number = 0; ; number++) {
      const name = `${key}:${number}`
      if ((await this.ownerOfKey(name)) === server) return name
    }
  }

  /** From here on absent keys of the slot are at `to`, and the others still at their owner. */
  async openSlot(slot: number, to: ClusterServer): Promise<OpenSlot> {
    const from = await this.ownerOf(slot)
    await to.ask('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', from.id)
    await from.ask('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', to.id)
    const moveKeys = (count?: number) => this.#moveKeys(slot, from, to, count)
    const setSlot = async (...words: readonly string[]): Promise<void> => {
      for (const server of [to, from]) await server.ask('CLUSTER', 'SETSLOT', `${slot}`, ...words)
    }
    return {
      from,
      to,
      moveKeys,
      abandon: () => setSlot('STABLE'),
      finish: async () => {
        await moveKeys()
        await setSlot('NODE', to.id)
      },
    }
  }

  /** Moves the slots `first` to `last`, key by key. */
  async moveSlots(first: number, last: number, to: ClusterServer): Promise<void> {
    for (let slot = first; slot <= last; slot++) await (await this.openSlot(slot, to)).finish()
  }

  async moveSlot(slot: number, to: ClusterServer): Promise<void> {
    await this.moveSlots(slot, slot, to)
  }

  /**
   * A replica of this master takes over, as planned: CLUSTER FAILOVER. Resolves with it when it is the
   * master. Gives `TAKEOVER` when its master is gone and no majority is left to vote.
   */
  async failOver(master: ClusterServer, mode?: 'FORCE' | 'TAKEOVER'): Promise<ClusterServer> {
    const [heir] = (await this.replicasOf(master)).filter(({ isRunning }) => isRunning)
    if (heir === undefined) throw new Error(`${master.address} has no replica`)
    const takeOver = async (): Promise<void> => {
      await heir.ask('CLUSTER', 'FAILOVER', ...(mode === undefined ? [] : [mode]))
    }
    await takeOver()
    let askedMs = performance.now()
    await until(async () => {
      if (isMaster(await this.#self(heir))) return true
      if (performance.now() - askedMs < FAILOVER_MS_MAX) return false
      // The servers have given it up, as they do on a machine that is too busy. It may be the master by now.
      askedMs = performance.now()
      await takeOver().catch(() => {})
      return false
    }, LOOK_AGAIN_MS)
    return heir
  }

  /** Resolves when this server takes writes as a master. */
  async untilMaster(server: ClusterServer): Promise<void> {
    await until(async () => isMaster(await this.#self(server)), LOOK_AGAIN_MS)
  }

  /** Resolves with the replica of this server that has taken its slots over by itself. */
  async untilReplaced(
    server: ClusterServer,
    replicas: readonly ClusterServer[],
  ): Promise<ClusterServer> {
    let heir: ClusterServer | undefined
    await until(async () => {
      for (const each of replicas) {
        const { flags, slots } = await this.#self(each)
        if (flags.includes('master') && slots.length > 0 && each !== server) heir = each
      }
      return heir !== undefined
    }, LOOK_AGAIN_MS)
    return heir as ClusterServer
  }

  /** A master without slots. */
  async addMaster(): Promise<ClusterServer> {
    const server = await this.#startServer()
    this.servers.push(server)
    await this.#meet(server)
    await this.settled()
    return server
  }

  /** Gives its slots to `heir`, and lets all forget it. */
  async removeMaster(server: ClusterServer, heir: ClusterServer): Promise<void> {
    for (const range of (await this.#self(server)).slots) {
      const [first = 0, last = first] = range.split('-').map(Number)
      await this.moveSlots(first, last, heir)
    }
    for (const replica of await this.replicasOf(server)) {
      await replica.ask('CLUSTER', 'REPLICATE', heir.id)
    }
    this.servers.splice(this.servers.indexOf(server), 1)
    for (const other of this.#running()) await other.ask('CLUSTER', 'FORGET', server.id)
    await server.stop()
  }

  #startServer(): Promise<ClusterServer> {
    const { nodeTimeoutMs = 2000, password, tls, serverArgs: args = [] } = this.#setup
    return startClusterServer({ nodeTimeoutMs, password, tls, args })
  }

  async #meet({ announcedPort, busPort }: ClusterServer): Promise<void> {
    const first = this.#anyRunning()
    await first.ask('CLUSTER', 'MEET', '127.0.0.1', String(announcedPort), String(busPort))
  }

  async #moveKeys(
    slot: number,
    from: ClusterServer,
    to: ClusterServer,
    count = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { password } = this.#setup
    const secret = password === undefined ? [] : ['AUTH', password]
    for (let left = count; left > 0; ) {
      const most = Math.min(left, KEYS_AT_ONCE)
      const keys = await from.ask('CLUSTER', 'GETKEYSINSLOT', String(slot), String(most))
      if (!Array.isArray(keys) || keys.length === 0) return
      const names = keys.map((key) => (key as Buffer).toString('latin1'))
      const place = ['127.0.0.1', String(to.announcedPort), '', '0', '5000']
      await from.ask('MIGRATE', ...place, ...secret, 'KEYS', ...names)
      left -= names.length
    }
  }

  async #allKnowAll(): Promise<boolean> {
    const running = this.#running()
    for (const server of running) {
      const lines = await this.#nodes(server)
      if (lines.filter(isThere).length < running.length) return false
    }
    return true
  }

  /** What a server says of all that run, as a text to compare; undefined while it is not in order. */
  async #viewOf(server: ClusterServer): Promise<string | undefined> {
    const info = await server.text('CLUSTER', 'INFO')
    const running = new Set(this.#running().map(({ id }) => id))
    const lines = (await this.#nodes(server)).filter(({ id }) => running.has(id))
    const isComplete = lines.length === running.size && lines.every(isThere)
    if (!isComplete || !info.includes('cluster_state:ok')) return undefined
    const replication = await server.text('INFO', 'replication')
    // One that was a master before is listed with its old offset before it has what its master has.
    if (/^role:slave/m.test(replication) && !/^master_link_status:up/m.test(replication))
      return undefined
    const replicas = lines.filter((line) => !isMaster(line))
    const slots = await server.ask('CLUSTER', 'SLOTS')
    const listed = new Set(JSON.stringify(slots, bufferText).match(/[0-9a-f]{40}/g))
    if (!replicas.every(({ id }) => listed.has(id))) return undefined
    const texts = lines.map(({ id, masterId, slots: own }) => `${id} ${masterId} ${own.join(' ')}`)
    return texts.sort().join('\n')
  }

  async #self(server: ClusterServer): Promise<NodeLine> {
    const lines = await this.#nodes(server)
    const own = lines.find(({ id }) => id === server.id)
    if (own === undefined) throw new Error(`${server.address} does not name itself`)
    return own
  }

  async #nodes(server: ClusterServer): Promise<NodeLine[]> {
    const text = await server.text('CLUSTER', 'NODES')
    return text.trimEnd().split('\n').map(nodeLine)
  }

  #running(): ClusterServer[] {
    return this.servers.filter(({ isRunning }) => isRunning)
  }

  #anyRunning(): ClusterServer {
    const [first] = this.#running()
    if (first === undefined) throw new Error('no server of the cluster runs')
    return first
  }

  #byId(id: string): ClusterServer {
    const server = this.servers.find((each) => each.id === id)
    if (server === undefined) throw new Error(`no server has id ${id}`)
    return server
  }
}

/** `id ip:port@bus flags master ping pong epoch link slots…`, of which open slots are left out. */
function nodeLine(line: string): NodeLine {
  const [id = '', , flags = '', masterId = '', , , , , ...slots] = line.split(' ')
  return {
    id,
    flags: flags.split(','),
    masterId,
    slots: slots.filter((range) => !range.startsWith('[')),
  }
}

function isMaster({ flags }: NodeLine): boolean {
  return flags.includes('master')
}

function isThere({ flags }: NodeLine): boolean {
  return !['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => flags.includes(flag))
}

function includes(range: string, slot: number): boolean {
  const [first = 0, last = first] = range.split('-').map(Number)
  return first <= slot && slot <= last
}

/** Buffers become texts in JSON. */
function bufferText(_key: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && 'data' in value
  return isBuffer ? Buffer.from(value.data as number[]).toString('latin1') : value
}
