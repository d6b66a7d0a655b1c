/** Sends each place its part of a request whose keys have several places, and lets the replies become one. */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import type { Reads } from '../../nearcache/cache-client.ts'
import type { PlaceSending } from '../../pool/router/moving-places.ts'
import type { Plan } from '../../routing/plan.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Backend, Fragment } from '../../upstream/backend.ts'
import { openingOf } from '../../upstream/fragment.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Client } from './client.ts'
import { Collector } from './collector.ts'
import { finishOfSplit } from './finish.ts'
import type { KeyNotes } from './key-notes.ts'
import type { WayToPlace } from './way.ts'

export interface SplitterOptions<T extends Backend> {
  readonly topology: Topology<T>
  /** Undefined: no place moves. */
  readonly sending: PlaceSending | undefined
  /** Of the request located last. */
  readonly plan: Plan
  readonly keyNotes: KeyNotes
  readonly near: Reads<T> | undefined
  readonly way: WayToPlace<T>
}

/** From this number of fragments on their common beginning is worth a buffer of its own. */
const OPENINGS_MIN = 4

export class Splitter<T extends Backend> {
  readonly #options: SplitterOptions<T>

  constructor(options: SplitterOptions<T>) {
    this.#options = options
  }

  /** Sends the request that was located last. All places have been asked whether they may be sent their parts. */
  split(client: Client, request: ScannedRequest, row: CommandRow): void {
    const { near, way, plan, sending } = this.#options
    const { keyCount, groups } = plan
    const { places, counts, firstKeys } = groups
    if (near?.readWhole(client, request, row, way.ofAll(client, groups))) return
    const { session } = client
    const groupOf = groups.groupOf.slice(0, keyCount)
    const ticket = session.open()
    const finish = finishOfSplit(row, session, ticket, groupOf)
    const beneficiary = row.readonly ? session : undefined
    const collector = new Collector(places.length, finish, undefined, beneficiary)
    const { stride } = row
    const opening = places.length < OPENINGS_MIN ? undefined : openingOf(request, stride)
    const isPlain = near === undefined && row.responsePolicy === undefined
    if (isPlain && opening !== undefined && sending?.sendParts !== undefined) {
      const about = (part: number): void => this.#isAbout(request, part)
      const parts = { request, stride, groupOf, opening, places, counts, firstKeys, about }
      sending.sendParts(client.order, client.lane, parts, collector)
      return
    }
    for (let index = 0; index < places.length; index++) {
      this.#isAbout(request, index)
      const keyCount = counts[index] as number
      const firstKey = firstKeys[index] as number
      const fragment = { request, stride, groupOf, index, keyCount, firstKey, opening }
      const place = places[index] as number
      const wayThere = way.of(client, place)
      const sink = near?.readPart(client, fragment, row, wayThere, collector, ticket)
      if (sink !== 'answered') this.#sendTo(client, place, fragment, sink ?? collector)
    }
  }

  /** What is sent next is about the keys of this part. */
  #isAbout(request: ScannedRequest, part: number): void {
    const { plan, keyNotes } = this.#options
    const { keys, groups } = plan
    const position = keys.positions[groups.firstKeys[part] as number] as number
    keyNotes.isAbout(request, position, groups.firstHashes[part] as number)
  }

  #sendTo(client: Client, place: number, fragment: Fragment, sink: ReplySink): void {
    const { topology, sending } = this.#options
    const { session, lane, order } = client
    const { index } = fragment
    if (sending === undefined) {
      topology.shardAt(place).sendFragment(session.id, lane, fragment, sink, index)
    } else {
      sending.sendFragment(order, lane, fragment, place, sink, index)
    }
  }
}
