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
}

export class FakeCluster {
  /** They own the slots in equal runs. */
  readonly nodes: FakeNode[] = []
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
    for (let at = 0; at < count; at++) this.nodes.push(await this.#startNode(`${at}`.repeat(40)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ shard }) => shard.stop()))
  }

  /** What clients have sent to a node: texts as in FakeRequest. */
  asked(at: number): readonly string[] {
    return this.#asked.get(this.nodes[at] as FakeNode) ?? []
  }

  /** A key that this node owns. */
  async #startNode(id: string): Promise<FakeNode> {
    const shard = await startFakeShard((request) => this.#answer(request, node))
    const node = { shard, id, address: `127.0.0.1:${shard.port}` }
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
    const ranges = this.nodes.map(({ shard, id }, at) => {
      const place = `*4\r\n${bulk('127.0.0.1')}:${shard.port}\r\n${bulk(id)}*0\r\n`
      return `*3\r\n:${this.#first(at)}\r\n:${this.#first(at + 1) - 1}\r\n${place}`
    })
    return `*${ranges.length}\r\n${ranges.join('')}`
  }

  #lines(self: FakeNode): string {
    const lines = this.nodes.map((node, at) => {
      const flags = node === self ? 'myself,master' : 'master'
      const slots = `${this.#first(at)}-${this.#first(at + 1) - 1}`
      return `${node.id} ${node.address}@1 ${flags} - 0 0 ${at + 1} connected ${slots}`
    })
    return `${[...lines, ...this.strangers].join('\n')}\n`
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

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}
