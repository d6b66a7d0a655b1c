/**
 * One Redis Cluster of a pool: its nodes, the owners of its slots, and the requests on their way. It
 * follows the map and what the nodes themselves say.
 */

import type { Belief } from '../../control/cluster/belief.ts'
import { type ClusterCounts, noClusterCounts } from '../../control/cluster/change.ts'
import type { ClusterObserver } from '../../control/cluster/cluster-watch.ts'
import { type ClusterView, type NodeAddress, SLOT_COUNT } from '../../control/cluster/view.ts'
import { addressKey, serverAddress } from '../../control/server-address.ts'
import type { Turn } from '../../io/turn.ts'
import type { ClusterState } from '../../stats/cluster-state.ts'
import type { Epochs } from '../../topology/cluster/epochs.ts'
import { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Member } from '../member.ts'
import { ClusterNodes, type ClusterNodesOptions } from './cluster-nodes.ts'
import type { MapDoubt, NodeGuide } from './redirects.ts'
import { SlotSender } from './slot-sender.ts'
import { Strangers } from './strangers.ts'

/** Keeps the map. */
export interface MapSource {
  refresh(cause: MapDoubt): void
  /** The server at this address does not answer as it should. */
  suspect(address: NodeAddress): void
  /** A node has said that the slot is at this address now, as it names it. */
  slotMoved(slot: number, to: NodeAddress): void
  /** Where a server is that announces this address. */
  reachedAt(announced: NodeAddress): NodeAddress
  /** What is known at this moment. */
  sight(): MapSight
  /** For another of the same cluster. */
  readonly belief: Belief
  close(): void
}

export interface MapSight {
  readonly view: ClusterView | undefined
  /** The highest config epoch that a node has told. */
  readonly epoch: number
  /** `host:port` of those that are known and do not answer. */
  readonly missing: readonly string[]
}

/** What a reload may change, and the cluster stays. */
export interface ClusterSettings {
  readonly open: (address: NodeAddress, replicas: readonly NodeAddress[]) => Member
  readonly configure: (
    member: Member,
    address: NodeAddress,
    replicas: readonly NodeAddress[],
  ) => void
  /** Equal where the map is the same: seeds, and how their answers are read. */
  readonly mapIdentity: string
  /** Begins to tell the map: the first time after the call. */
  readonly openMap: (
    observer: ClusterObserver,
    counts: ClusterCounts,
    belief: Belief | undefined,
  ) => MapSource
  /** Every server proves who it is by its certificate. */
  readonly isProven: boolean
  readonly requestTimeoutMs: number
}

export interface ClusterOptions extends Pick<ClusterNodesOptions, 'retire'> {
  readonly settings: ClusterSettings
  /** Stands for the owner of slots that have none: without an address. */
  readonly nobody: Shard
  readonly epochs: Epochs
  readonly firstLane: Lane
  readonly turn: Turn
  /** Its masters are others. */
  readonly onMasters: () => void
  /** Slots have moved between them. */
  readonly onSlots: () => void
}

const NO_SLOTS = new Int16Array()

export class Cluster implements NodeGuide {
  readonly topology: SlotTopology<Shard>
  readonly sender: SlotSender
  readonly #options: ClusterOptions
  readonly #nodes: ClusterNodes
  readonly #strangers: Strangers
  readonly #counts = noClusterCounts()
  #settings: ClusterSettings
  #map: MapSource
  /** The same array while the masters stay the same. */
  #shards: readonly Shard[]
  #onKnown: (() => void)[] = []
  #isKnown = false

  constructor(options: ClusterOptions) {
    this.#options = options
    const { nobody, epochs, turn, firstLane, settings, retire } = options
    const { requestTimeoutMs } = settings
    this.#settings = settings
    this.#shards = [nobody]
    this.topology = new SlotTopology(nobody, epochs)
    this.sender = new SlotSender({ topology: this.topology, guide: this, turn, requestTimeoutMs })
    const onTrouble = (address: NodeAddress): void => this.#map.suspect(address)
    const open: ClusterSettings['open'] = (...node) => this.#settings.open(...node)
    const onOthers = (): void => this.#map.refresh('replicas')
    const now = (): number => turn.readClock()
    this.#nodes = new ClusterNodes({ open, retire, onTrouble, onOthers, now })
    this.#strangers = new Strangers({
      masters: () => this.#nodes.masters.map(({ shard }) => shard),
      lane: firstLane,
      now: () => turn.now(),
    })
    this.#map = this.#openMap()
  }

  #openMap(belief?: Belief): MapSource {
    const changed = (view: ClusterView, failed: ReadonlySet<string>): void => {
      this.#follow(view, failed)
    }
    const awake = (address: NodeAddress): void => this.#nodes.awake(address)
    return this.#settings.openMap({ changed, awake }, this.#counts, belief)
  }

  /**
   * Goes on with these settings. Nothing that clients have under way ends by it. Where the seeds are others, slots
   * stay where they are until one of them answers.
   */
  configure(settings: ClusterSettings): void {
    const isSameMap = settings.mapIdentity === this.#settings.mapIdentity
    this.#settings = settings
    this.sender.allow(settings.requestTimeoutMs)
    this.#nodes.configure(settings.configure)
    this.#map.close()
    this.#map = this.#openMap(isSameMap ? this.#map.belief : undefined)
  }

  /** Masters that own slots, or the stand-in for them. */
  get shards(): readonly Shard[] {
    return this.#shards
  }

  /** Masters that own slots, ordered by their ids. */
  get masters(): readonly Member[] {
    return this.#nodes.masters
  }

  /** All nodes that are open. */
  get members(): readonly Member[] {
    return this.#nodes.all
  }

  /** For pages and metrics. */
  get state(): ClusterState {
    const { view, epoch, missing } = this.#map.sight()
    const { byCode, resent } = this.sender.redirects.counts
    const { length, held, heldMs } = this.sender.waits
    const { refreshes, failovers, failoverSeconds } = this.#counts
    return {
      nodes: (view?.nodes ?? []).map(({ id, address, replicas }, at) => ({
        id,
        address: addressKey(address),
        replicas: replicas.map(addressKey),
        slots: (view?.ownerOf ?? NO_SLOTS).reduce((sum, owner) => sum + Number(owner === at), 0),
      })),
      uncoveredSlots: SLOT_COUNT - (view?.covered ?? 0),
      epoch,
      missing,
      redirects: Object.fromEntries(byCode),
      resent,
      waiting: length,
      held,
      heldSeconds: heldMs / 1000,
      refreshes,
      failovers,
      failoverSeconds,
    }
  }

  /** Requests that have no reply yet. */
  get inFlight(): number {
    return this.members.reduce(
      (sum, { shard, replicas }) => sum + shard.inFlight + (replicas?.set.inFlight ?? 0),
      this.sender.waits.length,
    )
  }

  /** Dedicated connections in use. */
  get leased(): number {
    return this.members.reduce((sum, { shard }) => sum + shard.leased, 0)
  }

  closeLane(lane: Lane): void {
    for (const { shard, replicas } of this.members) {
      shard.closeLane(lane)
      for (const server of replicas?.servers ?? []) server.closeLane(lane)
    }
  }

  /** Calls back once the first map is there. */
  onceKnown(callback: () => void): void {
    if (this.#isKnown) callback()
    else this.#onKnown.push(callback)
  }

  /** Nothing is asked any more; requests go on. */
  stopAsking(): void {
    this.#map.close()
  }

  close(): void {
    this.#map.close()
    this.#nodes.close()
    this.sender.close()
    this.#options.nobody.close()
  }

  /** NodeGuide */
  nodeAt(host: string, port: number, from: Shard): Shard | undefined {
    const named = this.#named(host, port, from)
    if (named === undefined) return undefined
    const address = this.#map.reachedAt(named)
    const known = this.#nodes.find(address)
    if (known !== undefined) return known
    // In the lists of nodes it stands as they name it.
    const isWelcome = this.#settings.isProven || this.#strangers.isVouchedFor(named)
    return isWelcome ? this.#nodes.invite(address) : undefined
  }

  /** NodeGuide */
  slotMoved(slot: number, host: string, port: number, from: Shard): void {
    this.#nodes.handsOver(from)
    const named = this.#named(host, port, from)
    if (named !== undefined) this.#map.slotMoved(slot, named)
    this.#options.onSlots()
  }

  /** NodeGuide */
  doubt(cause: MapDoubt, node: Shard): void {
    const address = this.#nodes.addressOf(node)
    const isTrouble = cause === 'lost' || cause === 'timeout'
    if (isTrouble && address !== undefined) this.#map.suspect(address)
    else this.#map.refresh(cause)
  }

  /** NodeGuide */
  lookAgain(): void {
    this.#map.refresh('moved')
  }

  /** Without a host it is at the one that was asked. */
  #named(host: string, port: number, from: Shard): NodeAddress | undefined {
    return serverAddress(host === '' ? this.#nodes.addressOf(from)?.host : host, port)
  }

  #follow(view: ClusterView, failed: ReadonlySet<string>): void {
    const before = this.#shards
    const masters = this.#nodes.follow(view)
    const { ownerOf } = view
    const { epoch } = this.topology
    this.topology.follow(masters, (slot) => masters[ownerOf[slot] as number])
    const isSame =
      before.length === masters.length && before.every((each, at) => each === masters[at])
    if (!isSame) {
      this.#shards = masters.length === 0 ? [this.#options.nobody] : masters
      this.#strangers.mastersChanged()
      this.#options.onMasters()
    } else if (epoch !== this.topology.epoch) this.#options.onSlots()
    // What they have not been sent goes to the others, by the new map.
    this.#nodes.leaveOthers(failed)
    this.sender.mapChanged()
    if (this.#isKnown || masters.length === 0) return
    this.#isKnown = true
    const callbacks = this.#onKnown
    this.#onKnown = []
    for (const callback of callbacks) callback()
  }
}
