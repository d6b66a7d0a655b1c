/**
 * Plans each request that was dealt with once more, over the places of the mirrors, and sends it there as well.
 * Exists only where a pool has a mirror. Nothing here can delay or fail a client: what does not fit is dropped
 * and counted.
 */
import { mayTouchKeys } from '../../commands/keys.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { Order } from '../../pool/cluster/slot-request.ts'
import type { Mirror, MirroredPlaces } from '../../pool/mirror/mirrored-places.ts'
import type { Request } from '../../resp/request.ts'
import type { Places } from '../../routing/places.ts'
import { locate, Plan, type PlanPolicy, plan } from '../../routing/plan.ts'
import { CROSS_SHARD_READS } from '../../routing/reads/cross-shard-read.ts'
import type { MirrorSkip } from '../../stats/mirror/mirror-counts.ts'
import type { Frame } from '../../upstream/backend.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { Dispatching, SpecialCommand } from '../core/dispatcher.ts'
import type { Scripts } from '../scripts/scripts.ts'
import { PUBLISHES } from '../transactions/queueing.ts'
import { hasRoom, MirroredRequest } from './mirrored-request.ts'

export interface MirroringOptions extends MirroredPlaces {
  /** Where the request itself goes. */
  readonly served: Places
  readonly policy: PlanPolicy & { readonly crossShardReads: boolean }
  readonly scripts: Scripts
}

/** Commands for all shards with a way of their own that the mirror's shards are sent as they are. */
const FOR_ALL = new Set(['flushall', 'flushdb', 'keys', 'script|load', 'script|flush'])
/** What follows them until EXEC is the transaction's, and does not come here. */
const TRANSACTION_BEGINS = new Set(['multi', 'watch'])
/** A mirror's servers are not managed through it. */
const POLICY: PlanPolicy = { allowAdmin: false }

/** The request, without the memory that clients need for the next ones. */
class Copied implements Frame, Request {
  bytes!: Buffer
  frameStart = 0
  frameEnd = 0
  argc = 0
  offsets!: Int32Array
  readonly owned = false
  readonly memory = undefined

  take({ bytes, frameStart, frameEnd, argc, offsets }: Request): void {
    this.bytes = bytes
    this.frameStart = frameStart
    this.frameEnd = frameEnd
    this.argc = argc
    this.offsets = offsets
  }
}

export class Mirroring {
  readonly #options: MirroringOptions
  readonly #plan = new Plan()
  readonly #servedPlan = new Plan()
  readonly #copied = new Copied()
  /** Of clients whose requests are sent to a cluster. The mirror never holds a client to its order. */
  readonly #orders = new WeakMap<Client, Order>()

  constructor(options: MirroringOptions) {
    this.#options = options
  }

  /** Sends as `sender` does, and then to the mirrors. */
  behind(sender: Dispatching): Dispatching {
    return {
      dispatch: (client, request, row) => {
        sender.dispatch(client, request, row)
        this.mirror(client, request, row)
      },
    }
  }

  /** The command and then the mirrors; undefined where there is nothing to mirror. */
  after({ name, handling }: CommandRow, command: SpecialCommand): SpecialCommand | undefined {
    if (handling === 'local' || (handling === 'broadcast' && !FOR_ALL.has(name))) return undefined
    return (client, request, row) => {
      command(client, request, row)
      this.mirror(client, request, row)
    }
  }

  /** The request has been dealt with as configured. */
  mirror(client: Client, request: ScannedRequest, row: CommandRow): void {
    // A deferred request comes again.
    if (client.session.isDeferring || this.#isRefused(request, row)) return
    const made = this.#plan
    plan(row, request, this.#options.topology, POLICY, made)
    this.#copied.take(request)
    switch (made.kind) {
      case 'one':
        if (made.keyCount === 0) this.#withoutKeys(row)
        else if (PUBLISHES.has(row.name)) this.#skip('pubsub', row)
        else this.#one(client, row)
        return
      case 'split':
        this.#split(client, row)
        return
      case 'every':
        this.#every(client, row)
        return
      case 'own':
        this.#ownConnection(request, row)
        return
      case 'refused':
        this.#skip(made.refusal === 'crossslot' ? 'crossslot' : 'other', row)
    }
  }

  /** Nothing of it was sent to any pool. */
  #isRefused(request: Request, row: CommandRow): boolean {
    const { served, policy } = this.#options
    plan(row, request, served, policy, this.#servedPlan)
    const isCombined = policy.crossShardReads && Object.hasOwn(CROSS_SHARD_READS, row.name)
    return this.#servedPlan.kind === 'refused' && !isCombined
  }

  /** Where the mirror is one server all that names no key has a place: PING, for one. */
  #withoutKeys(row: CommandRow): void {
    if (mayTouchKeys(row)) this.#skip('script', row)
  }

  #ownConnection(request: Request, row: CommandRow): void {
    if (row.handling === 'subscription') this.#skipAtAll('pubsub', row)
    else if (TRANSACTION_BEGINS.has(row.name)) this.#skipAtAll('transaction', row)
    else {
      locate(row, request, this.#options.topology, this.#plan)
      if (this.#plan.keyCount > 0) this.#skip('blocking', row)
    }
  }

  #one(client: Client, row: CommandRow): void {
    const { place } = this.#plan
    const mirror = this.#mirrorAt(place)
    if (mirror === undefined || !isDrawn(mirror, row)) return
    const bytes = this.#copied.frameEnd - this.#copied.frameStart
    const shard = this.#takerOf(mirror, place, client, bytes)
    if (shard === undefined) return
    this.#load(client, shard, row)
    const { to, counts } = mirror
    const { lane, session } = client
    const sink = new MirroredRequest(counts, bytes)
    if (to.moving === undefined) shard.send(session.id, lane, this.#copied, sink, 0)
    else to.moving.send(this.#orderOf(client), lane, this.#copied, this.#placeIn(place), sink, 0)
  }

  #split(client: Client, row: CommandRow): void {
    const { keyCount, groups } = this.#plan
    const { places, counts, firstKeys } = groups
    const groupOf = groups.groupOf.slice(0, keyCount)
    const bytes = Math.ceil((this.#copied.frameEnd - this.#copied.frameStart) / places.length)
    for (let index = 0; index < places.length; index++) {
      const place = places[index] as number
      const mirror = this.#mirrorAt(place)
      if (mirror === undefined || !isDrawn(mirror, row)) continue
      const shard = this.#takerOf(mirror, place, client, bytes)
      if (shard === undefined) continue
      const keys = { keyCount: counts[index] as number, firstKey: firstKeys[index] as number }
      const fragment = { request: this.#copied, stride: row.stride, groupOf, index, ...keys }
      const { to } = mirror
      const { lane, session } = client
      const sink = new MirroredRequest(mirror.counts, bytes)
      if (to.moving === undefined) shard.sendFragment(session.id, lane, fragment, sink, 0)
      else {
        const order = this.#orderOf(client)
        to.moving.sendFragment(order, lane, fragment, this.#placeIn(place), sink, 0)
      }
    }
  }

  #every({ session, lane }: Client, row: CommandRow): void {
    const bytes = this.#copied.frameEnd - this.#copied.frameStart
    for (const mirror of this.#options.mirrors) {
      if (mirror === undefined || !isDrawn(mirror, row)) continue
      const { to, counts } = mirror
      for (const shard of to.shards()) {
        if (shard.isAway(lane, session.id)) counts.dropped.away++
        else if (!hasRoom(counts, bytes)) counts.dropped.full++
        else shard.send(session.id, lane, this.#copied, new MirroredRequest(counts, bytes), 0)
      }
    }
  }

  /** A script that only the served shards know goes to the mirror first. */
  #load({ lane, session }: Client, shard: Shard, row: CommandRow): void {
    const { scripts } = this.#options
    const script = scripts.scriptOf(this.#copied, row)
    if (script === undefined) return
    const connection = shard.connectionFor(lane, session.id)
    if (!script.isSent(connection)) scripts.load(connection, script)
  }

  /** Counted at the mirror that its first key would have led to. */
  #skip(why: MirrorSkip, row: CommandRow): void {
    const { keyCount, firstKey, firstHash } = this.#plan
    if (keyCount === 0) {
      this.#skipAtAll(why, row)
      return
    }
    const { bytes, offsets } = this.#copied
    const start = offsets[2 * firstKey] as number
    const end = offsets[2 * firstKey + 1] as number
    const place = this.#options.topology.placeOf(bytes, start, end, firstHash)
    const mirror = this.#mirrorAt(place)
    if (mirror !== undefined && wants(mirror, row)) mirror.counts.skipped[why]++
  }

  /** It has no key that says to which mirror it would have gone. */
  #skipAtAll(why: MirrorSkip, row: CommandRow): void {
    for (const mirror of this.#options.mirrors) {
      if (mirror !== undefined && wants(mirror, row)) mirror.counts.skipped[why]++
    }
  }

  #mirrorAt(place: number): Mirror | undefined {
    return this.#options.mirrors[this.#options.topology.partAt(place)]
  }

  #placeIn(place: number): number {
    const { topology } = this.#options
    return topology.placeIn(topology.partAt(place), place)
  }

  /** The server that takes a copy of so many bytes now; undefined: it is dropped, and that is counted. */
  #takerOf(
    { to, counts }: Mirror,
    place: number,
    { lane, session }: Client,
    bytes: number,
  ): Shard | undefined {
    const own = this.#placeIn(place)
    const shard = to.moving === undefined ? to.topology.shardAt(own) : to.moving.ownerOf(own)
    if (shard?.isAway(lane, session.id) !== false) counts.dropped.away++
    else if (!hasRoom(counts, bytes)) counts.dropped.full++
    else return shard
    return undefined
  }

  #orderOf(client: Client): Order {
    const known = this.#orders.get(client)
    if (known !== undefined) return known
    // The mirror's requests are no matter of the client's memory, and go on when it is gone.
    const order = new Order({ id: client.session.id, inFlight: 0, closed: false, keptBytes: 0 })
    this.#orders.set(client, order)
    return order
  }
}

function wants({ writesOnly }: Mirror, { readonly }: CommandRow): boolean {
  return !(writesOnly && readonly)
}

function isDrawn(mirror: Mirror, row: CommandRow): boolean {
  if (!wants(mirror, row)) return false
  return mirror.percent === 100 || Math.random() * 100 < mirror.percent
}
