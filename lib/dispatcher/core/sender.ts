/**
 * Sends requests where their plans say, and lets the replies find their way back. The one place that
 * knows sessions on one side and shards on the other.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { adminRefused, CROSSSLOT, notSupported } from '../../failures.ts'
import type { Reads } from '../../nearcache/cache-client.ts'
import type { PlaceSink } from '../../pool/cluster/slot-request.ts'
import type { MovingPlaces, PlaceSending } from '../../pool/router/moving-places.ts'
import { locate, Plan, type PlanPolicy, plan, type Whereabouts } from '../../routing/plan.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { Topology } from '../../topology/topology.ts'
import { type Frame, ownFrame } from '../../upstream/backend.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { AllShards, type OneOfAll } from './all/all-shards.ts'
import type { Client } from './client.ts'
import { Collector } from './collector.ts'
import { type Merge, merged, mergeOf, type ReplyTarget } from './finish.ts'
import { KeyNotes } from './key-notes.ts'
import { Splitter } from './splitter.ts'
import { WayToPlace } from './way.ts'

/** What a sender sends to: a shard, or what stands before one. */
export type Target = OneOfAll & Pick<Shard, 'name'>

export interface SenderOptions<T extends Target = Shard> {
  readonly topology: Topology<T>
  /** The shards at this moment. */
  readonly shards: () => readonly T[]
  /** For places that move while requests are under way; undefined: none does. */
  readonly moving: MovingPlaces | undefined
  /** Where requests for those are sent, if not there. */
  readonly sending?: PlaceSending | undefined
  readonly policy: PlanPolicy
  readonly lookout: Lookout
  /** Has the replies to some reads in memory. */
  readonly near?: Reads<T> | undefined
}

export class Sender<T extends Target = Shard> {
  readonly topology: Topology<T>
  readonly policy: PlanPolicy
  readonly #shards: () => readonly T[]
  /** Undefined: places stay where they are. */
  readonly moving: MovingPlaces | undefined
  readonly #sending: PlaceSending | undefined
  readonly #all: AllShards<T>
  readonly #near: Reads<T> | undefined
  readonly #way: WayToPlace<T>
  /** Of the request located last. Filled again for each request. */
  readonly plan = new Plan()
  readonly #keyNotes: KeyNotes
  readonly #splitter: Splitter<T>
  #nextShard = 0

  constructor(options: SenderOptions<T>) {
    const { topology, shards, moving, sending = moving, policy, lookout, near } = options
    this.topology = topology
    this.#shards = shards
    this.moving = moving
    this.#sending = sending
    this.#all = new AllShards(shards, moving)
    this.#near = near
    this.#way = new WayToPlace(topology, moving)
    this.policy = policy
    this.#keyNotes = new KeyNotes(topology, this.plan, lookout)
    const way = this.#way
    this.#splitter = new Splitter({
      topology,
      sending,
      plan: this.plan,
      keyNotes: this.#keyNotes,
      near,
      way,
    })
  }

  /** In an order that stays the same while the shards do. */
  get shards(): readonly T[] {
    return this.#shards()
  }

  /** Sends the request where its row's handling says, or answers why not. */
  dispatch(client: Client, request: ScannedRequest, row: CommandRow): void {
    plan(row, request, this.topology, this.policy, this.plan)
    if (this.plan.keyCount > 0) this.#keyNotes.tellOf(request)
    switch (this.plan.kind) {
      case 'one':
        this.sendLocated(client, request, row)
        return
      case 'any':
        this.send(client, request, this.anyShard())
        return
      case 'split':
        if (this.#admitsToPlaces(client, request)) this.#splitter.split(client, request, row)
        return
      case 'every':
        this.sendToAll(client, request, row)
        return
      default:
        this.#refuse(client, row)
    }
  }

  /** Sends the request located last, all of whose keys have one place, unless its reply is in memory. */
  sendLocated(client: Client, request: ScannedRequest, row: CommandRow): void {
    if (this.#near?.read(client, request, row, this.#way.of(client, this.plan.place))) return
    // The usual case, by the shortest way.
    if (this.moving === undefined) this.send(client, request, this.shardOfPlan())
    else this.sendToPlace(client, request, this.plan.place)
  }

  /** Fills in the plan's `place`, keys and groups, and nothing else of it. */
  locate(request: ScannedRequest, row: CommandRow): Whereabouts {
    const where = locate(row, request, this.topology, this.plan)
    if (this.plan.keyCount > 0) this.#keyNotes.tellOf(request)
    return where
  }

  /**
   * The shard that all keys of the request are on; for a request without keys any; undefined when its
   * keys have several places.
   */
  shardFor(request: ScannedRequest, row: CommandRow): T | undefined {
    const where = this.locate(request, row)
    if (where === 'several') return undefined
    return where === 'one' ? this.shardOfPlan() : this.anyShard()
  }

  /** The shard of all keys of the request that was located last. */
  shardOfPlan(): T {
    return this.topology.shardAt(this.plan.place)
  }

  /**
   * Whether a request for the place may be sent now; otherwise it is deferred, and handled again later.
   * Always true where places do not move.
   */
  admits(client: Client, request: ScannedRequest, place: number): boolean {
    if (this.moving === undefined || this.moving.admits(client.order, place)) return true
    client.session.defer(request)
    return false
  }

  /** As `admits`, for all places of the request that was located last. */
  admitsToGroups(client: Client, request: ScannedRequest): boolean {
    return this.plan.groups.places.every((place) => this.admits(client, request, place))
  }

  /** Sends the request as it came to the shard that has the place, and its reply to the client. */
  sendToPlace(client: Client, request: ScannedRequest, place: number): void {
    if (!this.admits(client, request, place)) return
    const { session } = client
    this.frameToPlace(client, request, place, session, session.open())
  }

  /** Sends a frame to the shard of the place. The request has been admitted. */
  frameToPlace(client: Client, frame: Frame, place: number, sink: PlaceSink, ticket: number): void {
    const { session, lane, order } = client
    if (this.#sending === undefined) {
      this.topology.shardAt(place).send(session.id, lane, frame, sink, ticket)
    } else {
      this.#sending.send(order, lane, frame, place, sink, ticket)
    }
  }

  /** Commands without keys go to the shards in turn, to those that are up if any is. */
  anyShard(): T {
    const { shards } = this
    for (let i = 0; i < shards.length; i++) {
      this.#nextShard = (this.#nextShard + 1) % shards.length
      if (shards[this.#nextShard]?.up) break
    }
    return shards[this.#nextShard] as T
  }

  /** Sends the request as it came to one shard and its reply to the client. */
  send(client: Client, request: ScannedRequest, shard: T): void {
    const { session } = client
    shard.send(session.id, client.lane, request, session, session.open())
  }

  /** Sends a frame made here, which never changes, to one shard and its reply to `sink`. */
  sendFrame(client: Client, frame: Buffer, shard: T, sink: ReplySink, ticket: number): void {
    shard.send(client.session.id, client.lane, ownFrame(frame), sink, ticket)
  }

  /**
   * Sends the request to the shard of the place; `merge` makes the client's reply of the shard's.
   */
  sendAnd(
    client: Client,
    request: ScannedRequest,
    row: CommandRow,
    place: number,
    merge: Merge,
  ): void {
    if (!this.admits(client, request, place)) return
    const { session } = client
    const collector = new Collector(1, merged(session, session.open(), row.readonly, merge))
    this.frameToPlace(client, request, place, collector, 0)
  }

  /** As `sendAnd`, for a request that any shard takes. */
  sendToShardAnd(
    client: Client,
    request: ScannedRequest,
    row: CommandRow,
    shard: T,
    merge: Merge,
  ): void {
    const { session, lane } = client
    const collector = new Collector(1, merged(session, session.open(), row.readonly, merge))
    shard.send(session.id, lane, request, collector, 0)
  }

  /** Sends the request to all shards and merges their replies as its row says, or by `merge`. */
  sendToAll(client: Client, request: ScannedRequest, row: CommandRow, merge?: Merge): void {
    this.#all.send(client, request, row.readonly, merge ?? mergeOf(row))
  }

  /** Sends a frame made here to all shards; the merged reply goes to `target`. */
  sendFrameToAll(
    client: Client,
    frame: Buffer,
    isReadonly: boolean,
    merge: Merge,
    target: ReplyTarget,
    ticket = 0,
  ): void {
    this.#all.sendFrame(client, ownFrame(frame), { isReadonly, merge, target, ticket })
  }

  /**
   * A command for all shards is not begun while one of them is known to be away. Where places move it waits for
   * the heir, and is handled again; otherwise it is refused.
   */
  areAllUp(client: Client, request: ScannedRequest): boolean {
    return this.#all.areUp(client, request)
  }

  /** Whether the request waits for the place's shard, which is away, to be handled again. */
  waitsFor(client: Client, request: ScannedRequest, place: number): boolean {
    return this.#all.waitsFor(client, request, () => this.topology.shardAt(place))
  }

  /** Whether each place may be sent its part; if not, the request is deferred, or refused. */
  #admitsToPlaces(client: Client, request: ScannedRequest): boolean {
    // Where places move, another shard may have it before the request's time is up.
    if (this.moving !== undefined) return this.admitsToGroups(client, request)
    const { places } = this.plan.groups
    return !places.some((place) => this.#refuseIfAway(client, this.topology.shardAt(place)))
  }

  #refuseIfAway(client: Client, shard: T): boolean {
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
}
