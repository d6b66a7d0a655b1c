/**
 * A transaction of one client, on the lease that it has for itself. The first key says which shard; until
 * then MULTI and keyless commands are kept here. A key of another shard is refused, and the transaction
 * with it, as Redis does for errors while queueing.
 *
 * What each request between WATCH and EXEC passes is here together: which of them is watched, queued,
 * kept or sent, and with which answer. The lease, what is kept, the loading of scripts and EXEC itself
 * have files of their own.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import {
  CROSSSLOT,
  type Failure,
  OVERLOADED,
  TOO_MANY_PLACES,
  TRANSACTION_CROSSSLOT,
  UNEXPECTED_REPLIES,
} from '../../failures.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { nullArrayFrame, OK, requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Request } from '../../resp/request.ts'
import type { Whereabouts } from '../../routing/plan.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import { ClientReply, type DeclinedIn, type Ending, OwnReply } from '../core/lease-sink.ts'
import type { Mode } from '../core/mode.ts'
import type { Sender } from '../core/sender.ts'
import type { LeaseTwin } from '../edge/lease-twin.ts'
import type { Script } from '../scripts/script-cache.ts'
import type { Scripts } from '../scripts/scripts.ts'
import { Exec, type ExecOptions } from './exec/exec.ts'
import { NO_ELEMENTS } from './exec/replay.ts'
import { EXECABORT, type Watching } from './exec/slot-exec.ts'
import { type EarlyCommand, KeptCommands } from './kept-commands.ts'
import { PUBLISHES, queueingOf } from './queueing.ts'
import { ShardQueue } from './shard-queue.ts'
import { declinedBy, watchReply } from './slot-refusals.ts'
import { fragmentsOf } from './split/fragments.ts'
import { LeasedPart } from './split/leased-part.ts'
import { ShardParts } from './split/shard-parts.ts'
import { SlotParts } from './split/slot-parts.ts'
import { sendOver, TransactionLease } from './transaction-lease.ts'

const QUEUED = Buffer.from('+QUEUED\r\n')
const NESTED = errorFrame('ERR MULTI calls can not be nested')
const WATCH_INSIDE = errorFrame('ERR WATCH inside MULTI is not allowed')
const DISCARD = requestFrame(['DISCARD'])
const UNWATCH = requestFrame(['UNWATCH'])

/** They move the client to another lane; a lease follows, since the watched keys stay watched. */
const MOVES_LANE = new Set(['select', 'auth', 'hello'])

export interface TransactionOptions extends ExecOptions {
  readonly lanes: Lanes
  readonly leaseTwin: LeaseTwin
  /** Keys may have several places: the transaction is atomic on each. */
  readonly splits: boolean
}

export class Transaction implements Mode {
  readonly #client: Client
  readonly #options: TransactionOptions
  readonly #sender: Sender
  readonly #scripts: Scripts
  readonly #lease: TransactionLease
  readonly #kept: KeptCommands
  readonly #there: ShardQueue
  /** What all keys must share; undefined before a key has named it. */
  #place: number | undefined
  /** The place of the first channel that is published to, which no key has to share. */
  #publishPlace: number | undefined
  /** MULTI has been answered: requests are queued. Before: keys are watched. */
  #queueing = false
  #queued = 0
  #failed = false
  /** A shard has answered a command with an error instead of QUEUED. */
  #hasError = false
  /** Keys are watched on the lease. */
  #watches = false
  /** What other shards queue of it; there once there is one. */
  #shards: ShardParts | undefined
  /** The commands for other slots, where places move. */
  #slots: SlotParts | undefined
  /** In a cluster: it is too large to be kept until EXEC. */
  #isSentEarly = false
  /** In a cluster: a watched key is on its way, or was refused. */
  #isBroken = false

  constructor(client: Client, options: TransactionOptions) {
    this.#client = client
    this.#options = options
    this.#sender = options.sender
    this.#scripts = options.scripts
    const lease = new TransactionLease(client, options.lanes)
    const kept = new KeptCommands(client.session)
    const { scripts } = options
    const failed = (): void => {
      this.#failed = true
    }
    this.#lease = lease
    this.#kept = kept
    this.#there = new ShardQueue({ client, scripts, lease, kept, failed })
  }

  get queued(): number | undefined {
    return this.#queueing ? this.#queued : undefined
  }

  /** MULTI without WATCH. */
  begin(): void {
    this.#queueing = true
    this.#client.session.answer(OK)
  }

  refused(row?: CommandRow): void {
    if (row?.name === 'exec') this.#discard()
    else if (this.#queueing) this.#failed = true
  }

  abandon(): void {
    this.#lease.part()(false)
    this.#shards?.abandon()
    this.#kept.letGo()
  }

  handle(request: ScannedRequest, row: CommandRow): boolean {
    if (this.#client.subscriptions?.handle(request, row)) return true
    if (row.name === 'quit' || row.name === 'reset') return false
    return this.#queueing ? this.#handleQueueing(request, row) : this.#handleWatching(request, row)
  }

  /**
   * While keys are watched, commands are executed one by one: some go over the lease and some over
   * shared connections, and their order must not depend on which.
   */
  #handleWatching(request: ScannedRequest, row: CommandRow): boolean {
    const { session } = this.#client
    if (session.inFlight > 0) {
      session.defer(request)
      return true
    }
    if (this.#lease.isLeftBehind && this.#usableLease() !== undefined) {
      this.#lease.follow(() => this.#lose())
      session.defer(request)
      return true
    }
    if (MOVES_LANE.has(row.name)) {
      this.#lease.clientLeaves()
      return false
    }
    switch (row.name) {
      case 'watch':
        this.#watch(request, row)
        return true
      case 'unwatch':
        this.#finishWith(request)
        return true
      case 'multi':
        this.#queueing = true
        if (this.#waitsForExec || this.#usableLease() === undefined) session.answer(OK)
        else this.#pass(request, row)
        return true
      case 'exec':
      case 'discard':
        return false
      default:
        return this.#passIfHere(request, row)
    }
  }

  /** Sends a command over the lease if all its keys live on the lease's shard. */
  #passIfHere(request: ScannedRequest, row: CommandRow): boolean {
    const keyed = row.handling === 'single' || row.handling === 'split'
    if (!keyed || PUBLISHES.has(row.name) || this.#usableLease() === undefined) return false
    // Where places move it follows them on the usual way.
    if (this.#waitsForExec) return false
    if (this.#sender.locate(request, row) !== 'one' || !this.#isHere()) return false
    this.#pass(request, row)
    return true
  }

  #watch(request: ScannedRequest, row: CommandRow): void {
    const where = this.#sender.locate(request, row)
    const { place } = this.#sender.plan
    if (where !== 'one' || (this.#place !== undefined && place !== this.#place)) {
      this.#client.session.answer(CROSSSLOT)
      if (this.#lease.shard === undefined) this.#end()
    } else if (this.#failed || !this.#takeLease(this.#sender.shardOfPlan(), place)) {
      if (this.#failed) this.#client.session.refuse(this.#unavailable())
      else this.#end()
    } else if (this.#sender.moving === undefined) {
      this.#watches = true
      this.#pass(request, row)
    } else {
      this.#watchOnSlot(this.#sender.moving, request, place)
    }
  }

  #watchOnSlot(places: MovingPlaces, request: ScannedRequest, slot: number): void {
    const { shard, connection } = this.#lease
    const sink = watchReply(this.#client, shard as Shard, places, slot, () => {
      this.#isBroken = true
    })
    sendOver(connection as ShardConnection, request, sink)
  }

  #handleQueueing(request: ScannedRequest, row: CommandRow): boolean {
    switch (row.name) {
      case 'multi':
        this.#client.session.answer(NESTED)
        break
      case 'watch':
        this.#client.session.answer(WATCH_INSIDE)
        break
      case 'exec':
        this.#exec(request)
        break
      case 'discard':
        if (this.#waitsForExec) {
          this.#client.session.answer(OK)
          this.#discard()
        } else if (this.#usableLease() !== undefined) {
          this.#shards?.discard()
          this.#finishWith(request)
        } else this.#endWith(OK)
        break
      default:
        this.#queue(request, row)
    }
    return true
  }

  #queue(request: ScannedRequest, row: CommandRow): void {
    const { shards, policy } = this.#sender
    const queueing = queueingOf(row, shards.length, policy.allowAdmin)
    if (queueing === 'shard') this.#queueThere(request, row)
    else if (queueing === 'here') this.#queueHere(request, row)
    else this.#refuse(queueing)
  }

  #queueThere(request: ScannedRequest, row: CommandRow): void {
    const where = this.#locate(request, row)
    if (where === 'several' || (where === 'one' && this.#place !== undefined && !this.#isHere())) {
      this.#queueElsewhere(request, row, where)
    } else if (this.#waitsForExec && this.#staysHere(request)) {
      if (where === 'one') this.#place ??= this.#sender.plan.place
      this.#queueEarly(request, row)
    } else if (this.#lease.shard === undefined && where === 'none') {
      this.#queueEarly(request, row)
    } else if (this.#lease.shard === undefined) {
      this.#startOn(this.#sender.plan.place, request, row)
    } else if (this.#usableLease() === undefined) {
      this.#refuse(this.#there.refusal ?? this.#unavailable())
    } else {
      this.#passQueued(request, row)
    }
  }

  /** What is too large to be kept goes out early, unless more than one place is to get it. */
  #staysHere(request: Request): boolean {
    const isBound = this.#lease.shard !== undefined || this.#slots !== undefined
    return isBound || this.#kept.hasRoomFor(request)
  }

  #passQueued(request: ScannedRequest, row: CommandRow): void {
    this.#queued++
    this.#shards?.addFirst()
    this.#pass(request, row)
  }

  /** Keys of the request that was located last are not where the transaction has begun. */
  #queueElsewhere(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const canBeSplit = where === 'one' || row.handling === 'split'
    if (!this.#options.splits || !canBeSplit) {
      this.#failed = true
      this.#client.session.answer(canBeSplit ? TRANSACTION_CROSSSLOT : CROSSSLOT)
    } else if (this.#waitsForExec) {
      this.#keepForSlots(request, row, where)
    } else if (this.#sender.moving !== undefined) {
      // What was too large to be kept is on its way to one place.
      this.#refuse(OVERLOADED)
    } else {
      this.#queueOnShards(request, row, where)
    }
  }

  #queueOnShards(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const { place, groups } = this.#sender.plan
    const isUnbegun = this.#lease.shard === undefined
    if (isUnbegun && !this.#isStartedOn(groups.places[0] as number, request)) return
    const lease = this.#usableLease()
    if (lease === undefined) {
      this.#refuse(this.#there.refusal ?? this.#unavailable())
      return
    }
    this.#shards ??= this.#openShards(lease)
    if (where === 'one' && this.#shards.isFirst(place)) {
      this.#passQueued(request, row)
      return
    }
    const isQueued =
      where === 'one'
        ? this.#shards.queue(request, row, place)
        : this.#shards.queueSplit(request, row)
    if (!isQueued) return
    this.#note(request, row)
    this.#queued++
  }

  #openShards(lease: ShardConnection): ShardParts {
    const changes = this.#twins
    const { shard } = this.#lease
    return new ShardParts({
      client: this.#client,
      sender: this.#sender,
      scripts: this.#scripts,
      first: { place: this.#place as number, shard: shard as Shard, lease },
      queued: this.#queued - this.#kept.own.length + changes.length,
      changes,
    })
  }

  /** What commands that are answered here do to the lease. */
  get #twins(): Buffer[] {
    return this.#kept.own.flatMap(({ request, row, hasTwin }) => {
      return hasTwin ? (this.#options.leaseTwin(request, row) ?? []) : []
    })
  }

  #keepForSlots(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    if (!this.#kept.takeRoomElsewhere(request)) {
      this.#refuse(OVERLOADED)
      return
    }
    const { plan } = this.#sender
    const fragments = where === 'several' ? fragmentsOf(request, row, plan) : undefined
    const place = fragments?.frames[0]?.place ?? plan.place
    this.#place ??= place
    this.#slots ??= new SlotParts(this.#place, this.#kept.early, this.#twins)
    const isKept =
      fragments === undefined
        ? this.#slots.queue(place, this.#early(request, row))
        : this.#slots.queueSplit(fragments)
    if (!isKept) {
      this.#refuse(TOO_MANY_PLACES)
      return
    }
    this.#note(request, row)
    this.#queued++
    this.#client.session.answer(QUEUED)
  }

  #early(request: Request, row: CommandRow): EarlyCommand {
    return { frame: new KeptRequest(request).bytes, script: this.#scripts.scriptOf(request, row) }
  }

  #locate(request: ScannedRequest, row: CommandRow): Whereabouts {
    if (row.name === 'unwatch') return 'none'
    const where = this.#sender.locate(request, row)
    if (this.#sender.shards.length === 1 || !PUBLISHES.has(row.name)) return where
    this.#publishPlace ??= this.#sender.plan.place
    return 'none'
  }

  #queueEarly(request: ScannedRequest, row: CommandRow): void {
    if (!this.#kept.takeRoom(request)) {
      if (this.#publishPlace === undefined || this.#slots !== undefined) this.#refuse(OVERLOADED)
      else this.#startOn(this.#publishPlace, request, row)
      return
    }
    this.#kept.early.push(this.#early(request, row))
    this.#slots?.addFirst()
    this.#note(request, row)
    this.#queued++
    this.#client.session.answer(QUEUED)
  }

  /** A command that is answered here waits here. What it will do to the lease waits at the shard. */
  #queueHere(request: ScannedRequest, row: CommandRow): void {
    const twin = this.#options.leaseTwin(request, row)
    const isThere = this.#lease.shard !== undefined && !this.#waitsForExec
    if (twin !== undefined && isThere && this.#usableLease() === undefined) {
      this.#refuse(this.#there.refusal ?? this.#unavailable())
      return
    }
    if (!this.#kept.takeRoom(request)) {
      this.#refuse(OVERLOADED)
      return
    }
    const hasTwin = twin !== undefined
    this.#kept.own.push({ place: this.#queued, request: new KeptRequest(request), row, hasTwin })
    this.#queued++
    if (twin !== undefined) this.#queueTwin(twin)
    this.#client.session.answer(QUEUED)
  }

  #queueTwin(frame: Buffer): void {
    if (this.#lease.shard !== undefined && !this.#waitsForExec) {
      this.#there.add(frame)
      this.#shards?.addChange(frame)
    } else {
      this.#kept.early.push({ frame, script: undefined })
      this.#slots?.addChange(frame)
    }
  }

  /** The request located last has the transaction's place. */
  #isHere(): boolean {
    return this.#sender.plan.place === this.#place
  }

  /** The place is known: what has been kept goes there, and the request behind it. */
  #startOn(place: number, request: ScannedRequest, row: CommandRow): void {
    if (this.#isStartedOn(place, request)) this.#passQueued(request, row)
  }

  /** False: the request is deferred, or refused. */
  #isStartedOn(place: number, request: ScannedRequest): boolean {
    const { session } = this.#client
    this.#isSentEarly = true
    // What the client sent before, over shared connections, must have been executed.
    if (session.inFlight > 0) session.defer(request)
    else if (!this.#open(this.#sender.topology.shardAt(place), place)) this.#failed = true
    else if (!this.#there.isReady) session.defer(request)
    else return true
    return false
  }

  /** Leases a connection and sends MULTI and the early commands; false: refused, and answered. */
  #open(shard: Shard, place: number | undefined): boolean {
    if (!this.#takeLease(shard, place)) return false
    this.#there.open()
    return true
  }

  #exec(request: ScannedRequest): void {
    const { session } = this.#client
    if (this.#waitsForExec && !this.#failed) {
      this.#execOnSlot(request)
    } else if (this.#shards !== undefined) {
      this.#execOnShards(request, this.#shards)
    } else if (this.#there.isUnqueued) {
      // The shard says it best: there is nothing to discard.
      this.#finishWith(request)
    } else if (
      this.#failed ||
      (this.#lease.shard !== undefined && this.#usableLease() === undefined)
    ) {
      this.#abort()
    } else if (this.#lease.shard === undefined && this.#queued === 0) {
      this.#endWith(NO_ELEMENTS)
    } else if (this.#lease.shard !== undefined) {
      this.#finishWith(request, this.#kept.mustReplay)
    } else if (session.inFlight > 0) {
      session.defer(request)
    } else if (this.#kept.early.length === 0) {
      this.#end()
      this.#execution.withoutShard(request)
    } else if (this.#open(this.#shardOfEarly(), this.#publishPlace)) {
      if (!this.#there.isReady) session.defer(request)
      else this.#finishWith(request, this.#kept.mustReplay)
    } else {
      this.#end()
    }
  }

  #execOnShards(request: ScannedRequest, others: ShardParts): void {
    const { session } = this.#client
    // All must have been queued.
    if (session.inFlight > 0) {
      session.defer(request)
      return
    }
    const lease = this.#usableLease()
    if (this.#there.isUnqueued || others.unqueued) {
      session.refuse(UNEXPECTED_REPLIES)
      this.#discard()
    } else if (this.#failed || this.#hasError || others.failed || lease === undefined) {
      this.#abort()
    } else {
      const first = new LeasedPart(lease, this.#partUnlessChanged())
      const parts = [first, ...others.handOver()]
      this.#end()
      const merge = (replies: readonly Buffer[]): Buffer | undefined => others.merge(replies)
      this.#execution.sendToShards(request, { parts, watches: this.#watches, merge })
    }
  }

  /**
   * Places move, and all is kept here until EXEC, so that it can go where the place is then. Not so what
   * is too much for that.
   */
  get #waitsForExec(): boolean {
    return this.#sender.moving !== undefined && !this.#isSentEarly
  }

  #execOnSlot(request: ScannedRequest): void {
    const { session, lane } = this.#client
    if (session.inFlight > 0) {
      session.defer(request)
      return
    }
    const hasLease = this.#lease.connection !== undefined
    if (this.#isBroken || (hasLease && this.#usableLease() === undefined)) {
      this.#endWith(nullArrayFrame(lane.protocol))
      return
    }
    if (!hasLease && this.#kept.early.length === 0 && this.#slots === undefined) {
      if (this.#queued === 0) this.#endWith(NO_ELEMENTS)
      else {
        this.#end()
        this.#execution.withoutShard(request)
      }
      return
    }
    const slot = this.#place ?? this.#publishPlace ?? this.#sender.topology.keylessPlace
    const watching = this.#handOver()
    this.#end()
    if (this.#slots === undefined) this.#execution.sendToSlot(request, slot, watching)
    else this.#execution.sendToSlots(request, this.#slots, watching)
  }

  /** The connection on which keys are watched is no longer ours. */
  #handOver(): Watching | undefined {
    const { connection, shard } = this.#lease
    if (connection === undefined || shard === undefined) return undefined
    return { lease: connection, shard, giveBack: this.#partUnlessChanged() }
  }

  /** For a transaction without keys: where what it publishes has its home, or any. */
  #shardOfEarly(): Shard {
    const { topology } = this.#sender
    const place = this.#publishPlace
    return place === undefined ? this.#sender.anyShard() : topology.shardAt(place)
  }

  /** Valid until the next command is queued. */
  get #execution(): Exec {
    return new Exec(this.#client, this.#options, this.#kept, this.#queued)
  }

  #abort(): void {
    this.#client.session.answer(EXECABORT)
    this.#discard()
  }

  /** Ends it on our own account; the lease goes back when the shard has forgotten it too. */
  #discard(): void {
    this.#shards?.discard()
    const lease = this.#usableLease()
    const frame = this.#queueing && !this.#waitsForExec ? DISCARD : UNWATCH
    if (lease !== undefined)
      lease.send(new OwnReply(this.#lease.part()), 0, frame, 0, frame.length, false)
    this.#end()
  }

  /** Sends the request that ends it all; whatever comes next waits for its reply. */
  #finishWith(request: ScannedRequest, replays = false): void {
    const { session } = this.#client
    const connection = this.#usableLease()
    if (connection === undefined) {
      this.#endWith(OK)
      return
    }
    const giveBack = this.#partUnlessChanged()
    const done = (ending: Ending): void => {
      giveBack(ending === 'done')
      session.release()
    }
    const ticket = session.open()
    session.hold()
    const sink = replays
      ? this.#execution.replySink(request, ticket, done)
      : new ClientReply(session, ticket, done, this.#declinedIn)
    sendOver(connection, request, sink)
    this.#end()
  }

  /**
   * As `part` of the lease; a connection that a command has changed must not serve another client.
   */
  #partUnlessChanged(): (clean: boolean) => void {
    const { changesConnection } = this.#kept
    const giveBack = this.#lease.part()
    return (clean) => giveBack(clean && !changesConnection)
  }

  #pass(request: ScannedRequest, row: CommandRow): void {
    const { session } = this.#client
    const connection = this.#lease.connection as ShardConnection
    const script = this.#scripts.scriptOf(request, row)
    if (script !== undefined) this.#loadScript(script, connection)
    this.#note(request, row)
    const isQueued = this.#queueing
    const done = (ending: Ending): void => {
      if (ending === 'lost') this.#failed = true
      else if (ending === 'error' && isQueued) this.#hasError = true
    }
    sendOver(connection, request, new ClientReply(session, session.open(), done, this.#declinedIn))
  }

  get #declinedIn(): DeclinedIn | undefined {
    const { moving } = this.#sender
    const { shard } = this.#lease
    if (moving === undefined || shard === undefined) return undefined
    return declinedBy(shard, moving, this.#place ?? 0)
  }

  /** Remembers a script when it is executed: not before EXEC, and not if too much is kept for that. */
  #note(request: Request, row: CommandRow): void {
    const lesson = this.#scripts.lessonOf(request, row)
    if (lesson === undefined) return
    if (!this.#queueing) this.#scripts.learn(lesson)
    else if (this.#kept.takeRoom(request)) this.#kept.lessons.push(lesson)
  }

  #loadScript(script: Script, connection: ShardConnection): void {
    if (this.#queueing) this.#there.load(script)
    else if (!script.isSent(connection)) this.#scripts.load(connection, script)
  }

  #takeLease(shard: Shard, place: number | undefined): boolean {
    if (this.#lease.connection !== undefined) return true
    if (!this.#lease.take(shard)) return false
    this.#place = place
    return true
  }

  /** The connection, unless it is gone. */
  #usableLease(): ShardConnection | undefined {
    if (this.#lease.isLost) this.#lose()
    return this.#lease.connection
  }

  /** What the lease watched and queued is gone. */
  #lose(): void {
    this.#failed = true
    this.abandon()
  }

  #unavailable(): Failure {
    return (this.#lease.shard as Shard).refusal()
  }

  #refuse(why: Buffer | Failure): void {
    this.refused()
    const { session } = this.#client
    if (Buffer.isBuffer(why)) session.answer(why)
    else session.refuse(why)
  }

  #endWith(frame: Buffer): void {
    this.#client.session.answer(frame)
    this.#end()
  }

  #end(): void {
    this.abandon()
    this.#client.mode = undefined
  }
}
