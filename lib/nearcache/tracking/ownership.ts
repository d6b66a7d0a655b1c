/**
 * A sign of life of a cluster's node: that it serves slots, and which. What was read of a slot that has left it,
 * or is about to, is kept no longer: the node does not hear of what is written there by now.
 */
import { requestFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { ask, wordsOf } from './own-request.ts'

/** Is told of slots of which nothing may be kept that was read so far. */
export interface SlotDoubts {
  touch(slot: number): void
}

/** Undefined: the node serves its slots. Otherwise why it is not relied on, in words that are safe for a log. */
export type Told = (trouble: string | undefined) => void

const SLOT_COUNT = 16384
/** What a slot is to a node. */
const STAYS = 1
const LEAVES = 2

const CLUSTER_INFO = requestFrame(['CLUSTER', 'INFO'])
const CLUSTER_NODES = requestFrame(['CLUSTER', 'NODES'])
/** A line for each of some 400 nodes. */
const NODES_TEXT_BYTES_MAX = 64 * 1024

/** `id address flags master ping pong epoch link slots...`, of the node that answers. */
const OWN_LINE = / (\S*\bmyself\b\S*) \S+ \d+ \d+ \d+ \S+([^\r\n]*)/

export class Ownership {
  readonly #doubts: SlotDoubts
  /** By slot, at the last sign of life; undefined before the first. */
  #slots: Uint8Array | undefined

  constructor(doubts: SlotDoubts) {
    this.#doubts = doubts
  }

  /** Calls back with what the node says; not if it says nothing. */
  ask(connection: ShardConnection, told: Told): void {
    let refusal: string | undefined
    let isUp = false
    ask(connection, CLUSTER_INFO, (reply) => {
      isUp = reply?.includes('cluster_state:ok') === true
      if (reply?.startsWith('-')) refusal = wordsOf(reply)
    })
    const onNodes = (reply: string | undefined): void => {
      if (reply === undefined) return
      if (reply.startsWith('-')) refusal ??= wordsOf(reply)
      const slots = isUp ? slotsServed(reply) : undefined
      if (slots !== undefined) this.#compare(slots)
      told(refusal ?? (slots === undefined ? 'it says that it serves no slots' : undefined))
    }
    ask(connection, CLUSTER_NODES, onNodes, NODES_TEXT_BYTES_MAX)
  }

  #compare(slots: Uint8Array): void {
    const before = this.#slots ?? slots
    this.#slots = slots
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      if (slots[slot] !== before[slot]) this.#doubts.touch(slot)
    }
  }
}

/** `nodes`: the reply to CLUSTER NODES. By slot what it is to the node; undefined: it is no master. */
export function slotsServed(nodes: string): Uint8Array | undefined {
  const [, flags = '', ranges = ''] = OWN_LINE.exec(nodes) ?? []
  if (!flags.split(',').includes('master')) return undefined
  const slots = new Uint8Array(SLOT_COUNT)
  for (const [, first, last = first] of ranges.matchAll(/ (\d+)(?:-(\d+))?(?= |$)/g)) {
    slots.fill(STAYS, Number(first), Number(last) + 1)
  }
  for (const [, slot] of ranges.matchAll(/ \[(\d+)->-/g)) slots[Number(slot)] = LEAVES
  return slots
}
