/**
 * Sends requests where their plans say, and lets the replies find their way back. The one place that
 * knows sessions on one side and shards on the other.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { adminRefused, CROSSSLOT, notSupported } from '../../failures.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import { locate, Plan, type PlanPolicy, plan, type Whereabouts } from '../../routing/plan.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import { NO_KEY } from '../../stats/lookout/shown-key.ts'
import type { Topology } from '../../topology/topology.ts'
import { type Frame, ownFrame } from '../../upstream/backend.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from './client.ts'
import { Collector } from './collector.ts'
import { interleaved, type Merge, merged, type ReplyTarget } from './finish.ts'

export interface SenderOptions {
  readonly topology: Topology<Shard>
  readonly shards: readonly Shard[]
  readonly policy: PlanPolicy
  readonly lookout: Lookout
}

export class Sender {
  readonly topology: Topology<Shard>
  readonly shards: readonly Shard[]
  readonly policy: PlanPolicy
  /** Of the request located last. Filled again for each request. */
  readonly plan = new Plan()
  readonly #lookout: Lookout
  #nextShard = 0

  constructor({ topology, shards, policy, lookout }: SenderOptions) {
    this.topology = topology
    this.shards = shards
    this.policy = policy
    this.#lookout = lookout
  }

  /** Sends the request where its row's route says, or answers why not. */
  dispatch(client: Client, request: ScannedRequest, row: CommandRow): void {
    plan(row, request, this.topology, this.policy, this.plan)
    if (this.plan.keyCount > 0) this.#tellOfKeys(request)
    switch (this.plan.kind) {
      case 'one':
        this.send(client, request, this.shardOfPlan())
        return
      case 'any':
        this.send(client, request, this.anyShard())
        return
      case 'split':
        this.#split(client, request, row)
        return
      case 'every':
        this.sendToAll(client, request, row)
        return
      default:
        this.#refuse(client, row)
    }
  }

  /** Fills in the plan's `place`, keys and groups, and nothing else of it. */
  locate(request: ScannedRequest, row: CommandRow): Whereabouts {
    const where = locate(row, request, this.topology, this.plan)
    if (this.plan.keyCount > 0) this.#tellOfKeys(request)
    return where
  }

  /**
   * The shard that all keys of the request are on; for a request without keys any; undefined when its
   * keys have several places.
   */
  shardFor(request: ScannedRequest, row: CommandRow): Shard | undefined {
    const where = this.locate(request, row)
    if (where === 'several') return undefined
    return where === 'one' ? this.shardOfPlan() : this.anyShard()
  }

  /** Where all keys of the request are that was located last. */
  shardOfPlan(): Shard {
    return this.topology.shardAt(this.plan.place)
  }

  /** Commands without keys go to the shards in turn, to those that are up if any is. */
  anyShard(): Shard {
    const { shards } = this
    for (let i = 0; i < shards.length; i++) {
      this.#nextShard = (this.#nextShard + 1) % shards.length
      if (shards[this.#nextShard]?.up) break
    }
    return shards[this.#nextShard] as Shard
  }

  /** Sends the request as it came to one shard and its reply to the client. */
  send(client: Client, request: ScannedRequest, shard: Shard): void {
    const { session } = client
    shard.send(session.id, client.lane, request, session, session.open())
  }

  /** Sends a frame made here, which nobody will change, to one shard and its reply to `sink`. */
  sendFrame(client: Client, frame: Buffer, shard: Shard, sink: ReplySink, ticket: number): void {
    shard.send(client.session.id, client.lane, ownFrame(frame), sink, ticket)
  }

  /** Sends the request as it came to one shard; `merge` makes the client's reply of the shard's. */
  sendAnd(
    client: Client,
    request: ScannedRequest,
    row: CommandRow,
    shard: Shard,
    merge: Merge,
  ): void {
    const { session, lane } = client
    const collector = new Collector(1, merged(session, session.open(), row.readonly, merge))
    shard.send(session.id, lane, request, collector, 0)
  }

  /** Sends the request to all shards and merges their replies as its row says, or by `merge`. */
  sendToAll(client: Client, request: ScannedRequest, row: CommandRow, merge?: Merge): void {
    if (this.refuseUnlessAllUp(client)) return
    const { session } = client
    this.#toAll(client, request, row.readonly, merge ?? mergeOf(row), session, session.open())
  }

  /** Sends a frame made here to all shards; the merged reply goes to `target`. */
  sendFrameToAll(
    client: Client,
    frame: Buffer,
    isReadonly: boolean,
    merge: Merge,
    target: ReplyTarget,
  ): void {
    this.#toAll(client, ownFrame(frame), isReadonly, merge, target, 0)
  }

  /** A command for all shards is not begun when one of them is known to be away. */
  refuseUnlessAllUp(client: Client): boolean {
    return this.shards.some((shard) => this.#refuseIfAway(client, shard))
  }

  #toAll(
    client: Client,
    frame: Frame,
    isReadonly: boolean,
    merge: Merge,
    target: ReplyTarget,
    ticket: number,
  ): void {
    const { session, lane } = client
    const { shards } = this
    const collector = new Collector(shards.length, merged(target, ticket, isReadonly, merge))
    for (let part = 0; part < shards.length; part++) {
      shards[part]?.send(session.id, lane, frame, collector, part)
    }
  }

  #split(client: Client, request: ScannedRequest, row: CommandRow): void {
    const { keyCount, keys, groups } = this.plan
    const { places, counts, firstKeys } = groups
    const { topology } = this
    for (const place of places) if (this.#refuseIfAway(client, topology.shardAt(place))) return
    const { session, lane } = client
    const groupOf = groups.groupOf.slice(0, keyCount)
    const ticket = session.open()
    const finish =
      row.responsePolicy === undefined
        ? interleaved(session, ticket, row.readonly, groupOf)
        : merged(session, ticket, row.readonly, mergeOf(row))
    const collector = new Collector(places.length, finish)
    const { stride } = row
    for (let index = 0; index < places.length; index++) {
      this.#isAbout(request, keys.positions[firstKeys[index] as number] as number)
      const keyCount = counts[index] as number
      topology
        .shardAt(places[index] as number)
        .sendFragment(
          session.id,
          lane,
          { request, stride, groupOf, index, keyCount },
          collector,
          index,
        )
    }
  }

  #refuseIfAway(client: Client, shard: Shard): boolean {
    if (!shard.isAway(client.lane, client.session.id)) return false
    client.session.refuse(shard.refusal())
    return true
  }

  #refuse({ session }: Client, { name, because }: CommandRow): void {
    const { kind, refusal } = this.plan
    if (kind === 'refused' && refusal === 'crossslot') session.answer(CROSSSLOT)
    else if (kind === 'refused' && refusal === 'admin') session.refuse(adminRefused(name, because))
    else session.refuse(notSupported(name, because))
  }

  /** Of several keys the first stands for all; each may be one of those that are counted. */
  #tellOfKeys(request: ScannedRequest): void {
    const { plan } = this
    const lookout = this.#lookout
    const { bytes, offsets } = request
    const start = offsets[2 * plan.firstKey] as number
    const end = offsets[2 * plan.firstKey + 1] as number
    if (lookout.inHand.keyHash === NO_KEY) lookout.isAbout(plan.firstHash, bytes, start, end)
    if (!lookout.countsKeys) return
    if (plan.keyCount > 1) this.#sampleKeys(request)
    else if (lookout.isSample()) {
      lookout.countKey(plan.firstHash, bytes, start, end, this.shardOfPlan().name)
    }
  }

  #sampleKeys({ bytes, offsets }: ScannedRequest): void {
    const { keys, keyCount, groups } = this.plan
    const { topology } = this
    const lookout = this.#lookout
    for (let key = 0; key < keyCount; key++) {
      if (!lookout.isSample()) continue
      const argument = keys.positions[key] as number
      const start = offsets[2 * argument] as number
      const end = offsets[2 * argument + 1] as number
      const place = groups.places[groups.groupOf[key] as number] as number
      const { name } = topology.shardAt(place)
      lookout.countKey(topology.hashOf(bytes, start, end), bytes, start, end, name)
    }
  }

  /** Says that what is sent next is about this key. */
  #isAbout({ bytes, offsets }: ScannedRequest, argument: number): void {
    const start = offsets[2 * argument] as number
    const end = offsets[2 * argument + 1] as number
    this.#lookout.isAbout(this.topology.hashOf(bytes, start, end), bytes, start, end)
  }
}

function mergeOf(row: CommandRow): Merge {
  const policy = row.responsePolicy
  // A command whose replies nobody knows how to merge: with one shard there is nothing to merge.
  if (policy === 'special') return (replies) => (replies.length === 1 ? replies[0] : undefined)
  return (replies) => mergeReplies(policy ?? 'concatenate', replies)
}
