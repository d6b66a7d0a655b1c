/**
 * The servers of a cluster that requests go to. They come and go as the map of slots says: one is opened
 * when it is first needed, and left when it owns nothing any more.
 */
import { type ClusterView, serversOf } from '../../control/cluster/view.ts'
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import { GUEST_NODES_MAX, HANDOVER_MS } from '../../limits.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Member } from '../member.ts'
import { Sleepers } from './sleepers.ts'

export interface ClusterNodesOptions {
  readonly open: (address: ServerAddress, replicas: readonly ServerAddress[]) => Member
  /**
   * Lets it end what it has begun, within `withinMs` milliseconds or as long as a reload allows, and closes it.
   */
  readonly retire: (member: Member, withinMs?: number) => void
  /** It has broken, or keeps silent. */
  readonly onTrouble: (address: ServerAddress) => void
  /** A master has other replicas than the map says. */
  readonly onOthers: () => void
  readonly now: () => number
}

interface OpenNode {
  readonly address: ServerAddress
  readonly member: Member
  readonly stopWatching: () => void
  /** It owned slots by the newest map, and these were its replicas. */
  isMaster: boolean
  replicas: readonly ServerAddress[]
  /** It has said of a slot of its own that another has it: what it says is true to its end. */
  hasHandedOver: boolean
  /** Maps that have come since it was opened, none of which had it as a master. */
  mapsAsGuest: number
}

/** A guest that owns nothing after this number of maps is closed. */
const GUEST_MAPS_MAX = 16

export class ClusterNodes {
  readonly #options: ClusterNodesOptions
  readonly #byKey = new Map<string, OpenNode>()
  readonly #byShard = new Map<Shard, OpenNode>()
  /** In the order of the map. */
  #masters: readonly OpenNode[] = []
  /** Addresses that the newest map has, masters and replicas. */
  #listed = new Set<string>()
  /** By the address of a replica: its master. */
  #masterOf = new Map<string, OpenNode>()
  readonly #sleepers: Sleepers

  constructor(options: ClusterNodesOptions) {
    this.#options = options
    this.#sleepers = new Sleepers({
      masters: () => this.#masters.map(({ address, member }) => ({ address, shard: member.shard })),
      now: options.now,
      onSilent: options.onTrouble,
    })
  }

  /** It does not hang, or no longer, and the newest map is younger than that. */
  awake(address: ServerAddress): void {
    this.#sleepers.awake(address)
  }

  /** Masters that own slots, in the order of the map. */
  get masters(): readonly Member[] {
    return this.#masters.map(({ member }) => member)
  }

  /** All that are open. */
  get all(): readonly Member[] {
    return [...this.#byKey.values()].map(({ member }) => member)
  }

  addressOf(shard: Shard): ServerAddress | undefined {
    return this.#byShard.get(shard)?.address
  }

  /** The node at this address, if it is open or the map has it. */
  find(address: ServerAddress): Shard | undefined {
    const key = addressKey(address)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known.member.shard
    return this.#listed.has(key) ? this.#open(address).member.shard : undefined
  }

  /** One that the map does not have, since it owns no slot yet. Undefined when there are too many. */
  invite(address: ServerAddress): Shard | undefined {
    const guests = this.#byKey.size - this.#masters.length
    const known = this.#byKey.get(addressKey(address))
    if (known === undefined && guests >= GUEST_NODES_MAX) return undefined
    return (known ?? this.#open(address)).member.shard
  }

  /** The node has said of a slot that another has it. */
  handsOver(shard: Shard): void {
    const node = this.#byShard.get(shard)
    if (node !== undefined) node.hasHandedOver = true
  }

  /** Opens the masters of the map, which are the result, in its order. */
  follow(view: ClusterView): readonly Shard[] {
    const masters = view.nodes.map(({ address, replicas }) => {
      const node = this.#byKey.get(addressKey(address)) ?? this.#open(address, replicas)
      node.replicas = replicas
      node.member.replicas?.follow(replicas, this.#options.onOthers)
      return node
    })
    this.#masters = masters
    this.#listed = new Set(view.nodes.flatMap(serversOf).map(addressKey))
    this.#masterOf = new Map(
      masters.flatMap((master) => {
        return master.replicas.map((replica) => [addressKey(replica), master] as const)
      }),
    )
    return masters.map(({ member }) => member.shard)
  }

  /**
   * Leaves those that own nothing any more. Requests must go to the others by now. `failed`: `host:port` of
   * those that the nodes call failed.
   */
  leaveOthers(failed: ReadonlySet<string>): void {
    const masters = new Set(this.#masters)
    const before = new Set(this.#masters.filter(({ isMaster }) => isMaster))
    for (const node of this.#byKey.values()) {
      if (masters.has(node)) {
        node.isMaster = true
        node.hasHandedOver = false
        continue
      }
      if (!node.isMaster && ++node.mapsAsGuest <= GUEST_MAPS_MAX) continue
      this.#forget(node)
      if (!this.#isDeposed(node, before)) this.#options.retire(node.member)
      else this.#depose(node, this.#isHeard(node, failed))
      this.#sleepers.forget(node.address)
    }
  }

  #depose({ member }: OpenNode, isHeard: boolean): void {
    // It has said what it took for blocked clients before its heir had its place, and takes nothing more that lasts.
    if (isHeard) member.shard.unblock()
    this.#options.retire(member, isHeard ? HANDOVER_MS : 0)
  }

  /**
   * Whether a deposed master is believed when it answers what it was sent before. Where the nodes call it failed, or
   * it has kept silent, nobody has asked it before it lost its place: what it executes now its successor does not have.
   * Otherwise its place was handed over (CLUSTER FAILOVER), and it executes no writes until it knows who has it now.
   */
  #isHeard({ address, hasHandedOver }: OpenNode, failed: ReadonlySet<string>): boolean {
    return hasHandedOver || !(failed.has(addressKey(address)) || this.#sleepers.isAsleep(address))
  }

  /**
   * Another has its place, and it was not asked. A master whose slots have all moved becomes a replica by itself
   * (`cluster-allow-replica-migration`), but of one that was a master before, and has its keys.
   */
  #isDeposed({ address, replicas }: OpenNode, mastersBefore: ReadonlySet<OpenNode>): boolean {
    const keys = new Set(this.#masters.map((master) => addressKey(master.address)))
    if (replicas.some((replica) => keys.has(addressKey(replica)))) return true
    const master = this.#masterOf.get(addressKey(address))
    return master !== undefined && !mastersBefore.has(master)
  }

  /** Deals with all that are open as a reload says. */
  configure(
    one: (member: Member, address: ServerAddress, replicas: readonly ServerAddress[]) => void,
  ): void {
    this.#sleepers.listenToAll()
    for (const { member, address, replicas } of this.#byKey.values()) {
      one(member, address, replicas)
    }
  }

  close(): void {
    this.#sleepers.close()
    for (const node of [...this.#byKey.values()]) {
      this.#forget(node)
      this.#options.retire(node.member, 0)
    }
    this.#masters = []
  }

  #open(address: ServerAddress, replicas: readonly ServerAddress[] = []): OpenNode {
    const { open, onTrouble } = this.#options
    const member = open(address, replicas)
    const stopWatching = member.shard.observe({
      changed: (up) => {
        if (!up) onTrouble(address)
      },
      failed: () => onTrouble(address),
    })
    const node: OpenNode = {
      address,
      member,
      stopWatching,
      isMaster: false,
      replicas,
      hasHandedOver: false,
      mapsAsGuest: 0,
    }
    this.#byKey.set(addressKey(address), node)
    this.#byShard.set(member.shard, node)
    return node
  }

  #forget(node: OpenNode): void {
    node.stopWatching()
    this.#byKey.delete(addressKey(node.address))
    this.#byShard.delete(node.member.shard)
  }
}
