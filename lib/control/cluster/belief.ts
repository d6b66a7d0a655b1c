/**
 * What is believed about a cluster, from what its nodes tell. Pure.
 *
 * A node's view may stay old: a node that is cut off from the others goes on naming a dead master. Like
 * Redis itself, this file decides between two claims to a slot by the claimants' config epochs. An
 * answer of one node that contradicts the others counts only if a second node says the same.
 */
import { CLUSTER_MOVED_MS } from '../../limits.ts'
import { addressKey } from '../server-address.ts'
import {
  type ClusterNode,
  type ClusterView,
  type NodeAddress,
  ownerAt,
  SLOT_COUNT,
  type SlotRange,
  sameView,
  serversOf,
  viewFrom,
  viewOf,
  withSlotMoved,
} from './view.ts'

/** One node's answer. */
export interface Told {
  readonly by: NodeAddress
  /** When it was asked. */
  readonly askedAtMs: number
  readonly ranges: readonly SlotRange[]
  /** The config epoch of each server that it knows, by id; empty where it does not tell. */
  readonly epochs: ReadonlyMap<string, number>
  /** The ids of servers that most masters call failed. */
  readonly failed: ReadonlySet<string>
}

export interface BeliefOptions {
  /** Servers prove who they are by certificates: one voice is enough for an address. */
  readonly proven: boolean
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

/** The effect of an answer: none, a change, or another node must say the same first. */
export interface Outcome {
  readonly changed: boolean
  readonly doubtful: boolean
}

export class Belief {
  view: ClusterView | undefined
  /** The highest config epoch that was told. */
  epoch = 0
  readonly #options: BeliefOptions
  #epochs: ReadonlyMap<string, number> = new Map()
  /** Slots whose new owner a redirect has named, and when. */
  readonly #movedAtMs = new Map<number, number>()
  /** The newest answers of two nodes. */
  #last: Voice | undefined
  #beforeLast: Voice | undefined

  constructor(options: BeliefOptions) {
    this.#options = options
  }

  /** Takes an answer. The first one is believed, as seeds are. */
  told(told: Told): Outcome {
    const voice = voiceOf(told)
    const other = this.#voiceBeside(voice)
    const before = this.view
    const { view, doubtful } =
      before === undefined
        ? { view: voice.view, doubtful: false }
        : this.#merged(before, voice, other, told)
    this.#learnEpochs(view, told.epochs)
    this.epoch = Math.max(this.epoch, ...told.epochs.values())
    const changed = before === undefined || !sameView(before, view)
    if (changed) this.view = view
    return { changed, doubtful }
  }

  /** A redirect has named this owner. Returns whether that is believed. */
  moved(slot: number, to: NodeAddress): boolean {
    const { view } = this
    if (view === undefined) return false
    if (!this.#options.proven && !addressesOf(view).has(addressKey(to))) return false
    this.#movedAtMs.set(slot, this.#options.now())
    this.view = withSlotMoved(view, slot, to)
    return true
  }

  /** The highest epoch told for an owner counts: a node that is behind tells a lower one. */
  #learnEpochs({ nodes }: ClusterView, told: ReadonlyMap<string, number>): void {
    const known = this.#epochs
    this.#epochs = new Map(
      nodes.flatMap(({ id }): [string, number][] => {
        const epochs = [known.get(id), told.get(id)].filter((epoch) => epoch !== undefined)
        return epochs.length === 0 ? [] : [[id, Math.max(...epochs)]]
      }),
    )
  }

  #merged(before: ClusterView, voice: Voice, other: Voice | undefined, told: Told) {
    const trusted = this.#trusted(before, other)
    const said = voice.view.nodes
    const isTrusted = said.map(({ address }) => trusted(address))
    const owners = Int32Array.from(before.ownerOf)
    const isOlder = this.#compared(before, voice.view, told)
    this.#forgetOldMoves(told.askedAtMs)
    const hasMoved = this.#movedAtMs.size > 0
    let doubtful = false
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const current = owners[slot] as number
      const at = voice.view.ownerOf[slot] as number
      if (hasMoved && this.#isNewer(slot, told.askedAtMs)) continue
      if (at < 0) {
        if (current < 0) continue
        const isSeconded = other !== undefined && ownerAt(other.view, slot) === undefined
        if (isSeconded) owners[slot] = at
        else doubtful = true
      } else if (isTrusted[at] !== true) {
        doubtful = true
      } else if (current < 0 || !isOlder(at, current)) {
        owners[slot] = before.nodes.length + at
      }
    }
    const fresh = said.map((node) => {
      const replicas = node.replicas.filter(trusted)
      doubtful ||= replicas.length < node.replicas.length
      return { ...node, replicas }
    })
    return { view: viewFrom(withFreshFacts([...before.nodes, ...said], fresh), owners), doubtful }
  }

  /** Compares node `at` of what was told with node `current` of what is believed: each pair of them once. */
  #compared(
    before: ClusterView,
    { nodes }: ClusterView,
    told: Told,
  ): (at: number, current: number) => boolean {
    const known = new Map<number, boolean>()
    const indexById = new Map(before.nodes.map(({ id }, index) => [id, index]))
    const same = nodes.map(({ id }) => indexById.get(id))
    return (at, current) => {
      // The usual case.
      if (same[at] === current) return false
      const pair = at * before.nodes.length + current
      let isOlder = known.get(pair)
      if (isOlder === undefined) {
        isOlder = this.#isOlder(
          nodes[at] as ClusterNode,
          before.nodes[current] as ClusterNode,
          told,
        )
        known.set(pair, isOlder)
      }
      return isOlder
    }
  }

  /**
   * Credentials go to every server that is believed, so a server that only one node names is not
   * believed.
   */
  #trusted(before: ClusterView, other: Voice | undefined): (address: NodeAddress) => boolean {
    const known = addressesOf(before)
    const needsOther = !this.#options.proven && known.size > 1
    return (address) => {
      const key = addressKey(address)
      return !needsOther || known.has(key) || other?.addresses.has(key) === true
    }
  }

  /** Whether the claim is older than what is believed. The owner itself may always give a slot away. */
  #isOlder(claimed: ClusterNode, current: ClusterNode, { by, epochs }: Told): boolean {
    if (claimed.id === current.id || addressKey(by) === addressKey(current.address)) return false
    const known = this.#epochs.get(current.id)
    const told = epochs.get(claimed.id)
    // A server that the cluster has forgotten does not count.
    if (known === undefined || told === undefined || !epochs.has(current.id)) return false
    return told < known
  }

  /** The newest answer of a different node, to compare with. */
  #voiceBeside(voice: Voice): Voice | undefined {
    const other = this.#last?.by === voice.by ? this.#beforeLast : this.#last
    this.#last = voice
    this.#beforeLast = other
    return other
  }

  /** Whether a redirect has told of the slot since then. */
  #isNewer(slot: number, askedAtMs: number): boolean {
    return (this.#movedAtMs.get(slot) ?? Number.NEGATIVE_INFINITY) >= askedAtMs
  }

  /** Forgets moves that are older than every answer under way. */
  #forgetOldMoves(askedAtMs: number): void {
    for (const [slot, movedAtMs] of this.#movedAtMs) {
      if (movedAtMs < askedAtMs - CLUSTER_MOVED_MS) this.#movedAtMs.delete(slot)
    }
  }
}

interface Voice {
  readonly by: string
  readonly view: ClusterView
  readonly addresses: ReadonlySet<string>
}

function voiceOf({ by, ranges }: Told): Voice {
  const view = viewOf(ranges)
  return { by: addressKey(by), view, addresses: addressesOf(view) }
}

/** The addresses of all masters and replicas. */
function addressesOf({ nodes }: ClusterView): Set<string> {
  return new Set(nodes.flatMap(serversOf).map(addressKey))
}

/** The owners with the ids and replicas that `nodes` have now. */
function withFreshFacts(
  owners: readonly ClusterNode[],
  nodes: readonly ClusterNode[],
): ClusterNode[] {
  const fresh = new Map(nodes.map((node) => [addressKey(node.address), node]))
  return owners.map((owner) => fresh.get(addressKey(owner.address)) ?? owner)
}
