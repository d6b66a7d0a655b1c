/**
 * What follows from a node's refusal: where the request goes now, and what it tells about the map.
 * Requests over shared and over dedicated connections are judged here.
 */
import type { RefreshCause } from '../../control/cluster/refresh-clock.ts'
import { type RefusalLine, refusalIn } from '../../routing/refusal-line.ts'
import type { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import type { Shard } from '../../upstream/shard.ts'

/** Why the map of slots may be wrong. */
export type MapDoubt = Extract<
  RefreshCause,
  'moved' | 'clusterdown' | 'readonly' | 'unblocked' | 'lost' | 'timeout' | 'replicas'
>

/** Knows the nodes. */
export interface NodeGuide {
  /** The node that `from` names; undefined while it is not known to be one of the cluster. */
  nodeAt(host: string, port: number, from: Shard): Shard | undefined
  /** `from` has said that the slot is the node's now that it names so. */
  slotMoved(slot: number, host: string, port: number, from: Shard): void
  /** Look at the map again. `node`: who gives reason. */
  doubt(cause: MapDoubt, node: Shard): void
  /** Look at the map again, for a slot has another owner. */
  lookAgain(): void
}

/** Counts of redirects, for pages and metrics. */
export interface RedirectCounts {
  /** By the first word of the line. */
  readonly byCode: Map<string, number>
  /** Requests that were sent again. */
  resent: number
}

/** `asking`: that node does not own the slot yet. */
export interface Destination {
  readonly node: Shard
  readonly asking: boolean
}

export class Redirects {
  readonly counts: RedirectCounts = { byCode: new Map(), resent: 0 }
  readonly #topology: SlotTopology<Shard>
  readonly #guide: NodeGuide

  constructor(topology: SlotTopology<Shard>, guide: NodeGuide) {
    this.#topology = topology
    this.#guide = guide
  }

  /** Undefined: the error is the node's answer. Otherwise the request, for `slot`, was not executed. */
  refusalIn(bytes: Buffer, start: number, end: number, slot: number): RefusalLine | undefined {
    const line = refusalIn(bytes, start, end)
    if (line === undefined) return undefined
    const { byCode } = this.counts
    byCode.set(line.code, (byCode.get(line.code) ?? 0) + 1)
    this.#topology.touch(slot)
    return line
  }

  /**
   * Where a request for `slot` goes at once that `from` has refused, and that was at `before` before;
   * undefined: it has to wait.
   */
  follow(line: RefusalLine, slot: number, from: Shard, before: Shard | undefined) {
    return line.kind === 'later'
      ? this.#later(line, from)
      : this.#redirect(line, slot, from, before)
  }

  #later({ code }: RefusalLine, from: Shard): undefined {
    if (code === 'READONLY') this.#guide.doubt('readonly', from)
    else if (code === 'UNBLOCKED') this.#guide.doubt('unblocked', from)
    // The map does not tell about keys that are on their way.
    else if (code !== 'TRYAGAIN') this.#guide.doubt('clusterdown', from)
  }

  #redirect(
    { kind, slot: told, host, port }: RefusalLine,
    slot: number,
    from: Shard,
    before: Shard | undefined,
  ): Destination | undefined {
    const isAbout = told === slot && host !== '?'
    const node = isAbout ? this.#guide.nodeAt(host, port, from) : undefined
    if (node === undefined) {
      this.#guide.doubt('moved', from)
      return undefined
    }
    if (node === from) {
      // Something in front of the nodes has led us to the wrong one: another connection may be luckier.
      from.renew(() => true)
      return undefined
    }
    if (kind === 'ask') return { node, asking: true }
    if (this.#topology.ownerOf(slot) !== node) {
      this.#topology.assign(slot, node)
      this.#guide.slotMoved(slot, host, port, from)
    }
    // Two nodes may name each other for a moment.
    return node === before ? undefined : { node, asking: false }
  }
}
