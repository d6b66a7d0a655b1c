/** The nodes of a cluster that are being asked for its map, each over one connection. */
import type { RedisAddress } from '../ioredis.ts'
import { addressKey } from '../server-address.ts'
import type { AddressMap } from './address-map.ts'
import type { Told } from './belief.ts'
import { NodeAsker, type NodeCredentials } from './node-asker.ts'
import { readNodes } from './nodes-reply.ts'
import type { Candidate } from './seeds.ts'
import { readSlots } from './slots-reply.ts'
import type { NodeAddress } from './view.ts'

export interface AskersOptions {
  readonly credentials: NodeCredentials
  /** How a server is connected to. `serverName`: in its certificate, where that is not its host. */
  readonly dialled: (address: NodeAddress, serverName: string | undefined) => RedisAddress
  readonly addressMap: AddressMap
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

export class Askers {
  readonly #options: AskersOptions
  readonly #askers = new Map<string, NodeAsker>()
  readonly #underWay = new Set<string>()

  constructor(options: AskersOptions) {
    this.#options = options
  }

  /** It has been asked and has not answered yet. */
  isAsking(address: NodeAddress): boolean {
    return this.#underWay.has(addressKey(address))
  }

  /** Rejects with what the node says, or why it says nothing. */
  async ask({ address, serverName }: Candidate, deadlineMs: number): Promise<Told> {
    const { now, addressMap } = this.#options
    const key = addressKey(address)
    const askedAtMs = now()
    this.#underWay.add(key)
    try {
      const answer = await this.#askerFor(key, address, serverName).ask(deadlineMs)
      const ranges = await readSlots(answer.slots, address, addressMap)
      if (ranges === undefined) throw new Error('this is no answer to CLUSTER SLOTS')
      const lines = readNodes(answer.nodes ?? '')
      const epochs = new Map(lines.map(({ id, epoch }) => [id, epoch] as const))
      const failed = lines.filter(({ flags }) => flags.includes('fail'))
      return { by: address, askedAtMs, ranges, epochs, failed: new Set(failed.map(({ id }) => id)) }
    } finally {
      this.#underWay.delete(key)
    }
  }

  close(): void {
    for (const asker of this.#askers.values()) asker.close()
    this.#askers.clear()
  }

  #askerFor(key: string, address: NodeAddress, serverName: string | undefined): NodeAsker {
    const known = this.#askers.get(key)
    if (known !== undefined) return known
    const { dialled, credentials } = this.#options
    const onIdle = () => this.#askers.delete(key)
    const asker = new NodeAsker(dialled(address, serverName), credentials, onIdle)
    this.#askers.set(key, asker)
    return asker
  }
}
