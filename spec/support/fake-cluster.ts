/** A cluster of scripted nodes: they tell a map as a real one does, and answer requests as a spec wants. */
import { type FakeRequest, type FakeShard, startFakeShard } from './fake-shard.ts'

const SLOTS = 16_384

/** What a node answers to a client's request; undefined: nothing, or by hand. */
export type Play = (request: FakeRequest, node: FakeNode) => string | undefined

export interface FakeNode {
  readonly shard: FakeShard
  readonly id: string
  /** `127.0.0.1:<port>` */
  readonly address: string
  readonly epoch: number
}

export class FakeCluster {
  /** They own the slots in equal runs. */
  readonly nodes: FakeNode[] = []
  /** By their masters. */
  readonly replicas = new Map<FakeNode, FakeNode>()
  /** All others call them failed. */
  readonly failed = new Set<FakeNode>()
  /** Lines that all nodes have in CLUSTER NODES besides. */
  readonly strangers: string[] = []
  play: Play
  readonly #asked = new Map<FakeNode, string[]>()

  constructor(play: Play) {
    this.play = play
  }

  get seeds(): string {
    return this.nodes.map(({ address }) => address).join(',')
  }

  async start(count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      this.nodes.push(await this.#startNode(`${at}`.repeat(40), at + 1))
    }
  }

  /** It takes the place of its master, and the two change their roles, by `promote`. */
  async addReplica(at: number): Promise<FakeNode> {
    const replica = await this.#startNode(`${at + 5}`.repeat(40), at + 100)
    this.replicas.set(this.nodes[at] as FakeNode, replica)
    return replica
  }

  promote(at: number): void {
    const master = this.nodes[at] as FakeNode
    const heir = this.replicas.get(master) as FakeNode
    this.replicas.delete(master)
    this.replicas.set(heir, master)
    this.nodes[at] = heir
  }

  async stop(): Promise<void> {
    const all = [...this.nodes, ...this.replicas.values()]
    await Promise.all(all.map(({ shard }) => shard.stop()))
  }

  /** What clients have sent to a node: texts as in FakeRequest. */
  asked(at: number): readonly string[] {
    return this.#asked.get(this.nodes[at] as FakeNode) ?? []
  }

  async #startNode(id: string, epoch: number): Promise<FakeNode> {
    const shard = await startFakeShard((request) => this.#answer(request, node))
    const node = { shard, id, address: `127.0.0.1:${shard.port}`, epoch }
    this.#asked.set(node, [])
    return node
  }

  #answer(request: FakeRequest, node: FakeNode): string | undefined {
    if (request.text === 'CLUSTER SLOTS') return this.#slots()
    if (request.text === 'CLUSTER NODES') return bulk(this.#lines(node))
    if (request.text.startsWith('CLUSTER')) return '-ERR not played\r\n'
    this.#asked.get(node)?.push(request.text)
    if (request.text === 'ASKING') return '+OK\r\n'
    return this.play(request, node)
  }

  #slots(): string {
    const ranges = this.nodes.map((node, at) => {
      const replica = this.replicas.get(node)
      const places = [node, ...(replica === undefined ? [] : [replica])].map(place)
      const [first, last] = [this.#first(at), this.#first(at + 1) - 1]
      return `*${2 + places.length}\r\n:${first}\r\n:${last}\r\n${places.join('')}`
    })
    return `*${ranges.length}\r\n${ranges.join('')}`
  }

  #lines(self: FakeNode): string {
    const line = (node: FakeNode, role: string, end: string): string => {
      const isFailed = this.failed.has(node) && node !== self
      const flags = `${node === self ? 'myself,' : ''}${role}${isFailed ? ',fail' : ''}`
      return `${node.id} ${node.address}@1 ${flags} ${end}`
    }
    const masters = this.nodes.map((node, at) => {
      const slots = `${this.#first(at)}-${this.#first(at + 1) - 1}`
      return line(node, 'master', `- 0 0 ${node.epoch} connected ${slots}`)
    })
    const replicas = [...this.replicas].map(([{ id }, replica]) => {
      return line(replica, 'slave', `${id} 0 0 ${replica.epoch} connected`)
    })
    return `${[...masters, ...replicas, ...this.strangers].join('\n')}\n`
  }

  #first(at: number): number {
    return Math.floor((at * SLOTS) / this.nodes.length)
  }
}

export async function startFakeCluster(count: number, play: Play): Promise<FakeCluster> {
  const cluster = new FakeCluster(play)
  await cluster.start(count)
  return cluster
}

/** As CLUSTER SLOTS names it. */
function place({ shard, id }: FakeNode): string {
  return `*4\r\n${bulk('127.0.0.1')}:${shard.port}\r\n${bulk(id)}*0\r\n`
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}
