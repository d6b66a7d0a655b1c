/**
 * WATCH, MULTI, EXEC, DISCARD and UNWATCH on a leased connection. The first key says which shard;
 * until then MULTI and keyless commands are kept here. A key of another shard is refused, and the
 * transaction with it, as Redis does for errors while queueing.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { CROSSSLOT, type Failure, OVERLOADED, UNEXPECTED_REPLIES } from '../../failures.ts'
import { TRANSACTION_KEPT_BYTES_MAX, TRANSACTION_KEPT_MAX } from '../../limits.ts'
import { arrayHeader, nullArrayFrame, OK, requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import { isError } from '../../resp/reply-reader.ts'
import type { Request } from '../../resp/request.ts'
import type { Whereabouts } from '../../routing/plan.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { change } from '../../upstream/connection/handshake.ts'
import type { Lane, Lanes } from '../../upstream/lane.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { takeLease } from '../blocking/blocking.ts'
import type { Client } from '../core/client.ts'
import { Collector } from '../core/collector.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import {
  ClientReply,
  type DeclinedIn,
  type Ending,
  endingOf,
  OwnReply,
} from '../core/lease-sink.ts'
import type { Mode } from '../core/mode.ts'
import type { Sender } from '../core/sender.ts'
import type { LeaseTwin } from '../edge/lease-twin.ts'
import type { Script } from '../scripts/script-cache.ts'
import type { Lesson, Scripts } from '../scripts/scripts.ts'
import { PUBLISHES, queueingOf } from './queueing.ts'
import { NO_ELEMENTS, type OwnCommand, Replay } from './replay.ts'
import { type Queued, SlotExec, type Watching } from './slot-exec.ts'

const QUEUED = Buffer.from('+QUEUED\r\n')
const EXECABORT = errorFrame('EXECABORT Transaction discarded because of previous errors.')
const EXEC_WITHOUT_MULTI = errorFrame('ERR EXEC without MULTI')
const DISCARD_WITHOUT_MULTI = errorFrame('ERR DISCARD without MULTI')
const NESTED = errorFrame('ERR MULTI calls can not be nested')
const WATCH_INSIDE = errorFrame('ERR WATCH inside MULTI is not allowed')
const MULTI = requestFrame(['MULTI'])
const DISCARD = requestFrame(['DISCARD'])
const UNWATCH = requestFrame(['UNWATCH'])

/** They move the client to another lane; a lease follows, since the watched keys stay watched. */
const MOVES_LANE = new Set(['select', 'auth', 'hello'])

export interface TransactionOptions {
  readonly sender: Sender
  readonly lanes: Lanes
  readonly scripts: Scripts
  readonly leaseTwin: LeaseTwin
  /** Carries out a command as if it came outside of a transaction. */
  readonly execute: SpecialCommand
  readonly inHand: InHand
  /** Infinity: requests may take for ever. */
  readonly requestTimeoutMs: number
}

export function transactionCommands(options: TransactionOptions): Record<string, SpecialCommand> {
  return {
    multi: (client) => {
      const transaction = new Transaction(client, options)
      client.mode = transaction
      transaction.begin()
    },
    watch: (client, request, row) => {
      client.mode = new Transaction(client, options)
      client.mode.handle(request, row)
    },
    unwatch: (client) => client.session.answer(OK),
    exec: (client) => client.session.answer(EXEC_WITHOUT_MULTI),
    discard: (client) => client.session.answer(DISCARD_WITHOUT_MULTI),
  }
}

class Transaction implements Mode {
  readonly #client: Client
  readonly #options: TransactionOptions
  readonly #sender: Sender
  readonly #lanes: Lanes
  readonly #scripts: Scripts
  /** What all keys must share; undefined before a key has named it. */
  #place: number | undefined
  /** Where the lease is; undefined before it is known. */
  #shard: Shard | undefined
  #lease: ShardConnection | undefined
  #pool: LeasePool | undefined
  /** The lane in whose state the lease is. */
  #at: Lane | undefined
  /** The lease's own, which the client has left; without users it would be closed. */
  #left: Lane | undefined
  /** MULTI has been answered: requests are queued. Before: keys are watched. */
  #queueing = false
  #queued = 0
  /** What the shard will be sent as soon as it is known, and has been answered QUEUED here. */
  #early: Queued[] = []
  /** The place of the first channel that is published to, which no key has to share. */
  #publishPlace: number | undefined
  /** Commands that no shard will execute. */
  readonly #own: OwnCommand[] = []
  /** What will be known about scripts when they are executed. */
  readonly #lessons: Lesson[] = []
  #failed = false
  /** In a cluster: it is too large to be kept until EXEC. */
  #isSentEarly = false
  /** In a cluster: a watched key is on its way, or was refused. */
  #isBroken = false
  /** Of what is kept here. */
  #keptBytes = 0
  /** The shard's answer to MULTI has to be waited for. */
  #trying = false
  /** The shard's error, when it does not let us use MULTI; then nothing has been sent behind it. */
  #refusal: Buffer | undefined
  /** MULTI, which used to work there, was refused: what was sent behind it has been executed. */
  #unqueued = false
  /** Scripts on their way to the shard; whatever comes next waits for them. */
  #loading = 0

  constructor(client: Client, options: TransactionOptions) {
    this.#client = client
    this.#options = options
    this.#sender = options.sender
    this.#lanes = options.lanes
    this.#scripts = options.scripts
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
    this.#part()(false)
    this.#client.session.keptBytes -= this.#keptBytes
    this.#keptBytes = 0
  }

  /** Forgets the lease. The caller gives it back with the result, now or later, as in LeasePool. */
  #part(): (clean: boolean) => void {
    const lease = this.#lease
    const pool = this.#pool
    const left = this.#left
    const isAsBefore = left === undefined || left === this.#at
    this.#lease = undefined
    this.#left = undefined
    return (clean) => {
      if (lease !== undefined) pool?.giveBack(lease, clean && isAsBefore)
      if (left !== undefined) this.#lanes.leave(left)
    }
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
    const { session, lane } = this.#client
    if (session.inFlight > 0) {
      session.defer(request)
      return true
    }
    if (this.#at !== lane && this.#usableLease() !== undefined) {
      this.#followTo(lane)
      session.defer(request)
      return true
    }
    if (MOVES_LANE.has(row.name)) {
      if (this.#lease !== undefined) this.#left ??= this.#lanes.enter(lane)
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

  /** The client has moved to another lane. What is watched stays watched, on its old database too. */
  #followTo(lane: Lane): void {
    const { session } = this.#client
    const steps = change(this.#at as Lane, lane)
    this.#at = lane
    let missing = steps.length
    if (missing > 0) session.hold()
    for (const step of steps) {
      this.#sendOwn(requestFrame(step), (succeeded) => {
        // Commands would be executed in the wrong state.
        if (!succeeded) this.abandon()
        if (--missing === 0) session.release()
      })
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
      if (this.#shard === undefined) this.#end()
    } else if (this.#failed || !this.#takeLease(this.#sender.shardOfPlan(), place)) {
      if (this.#failed) this.#client.session.refuse(this.#unavailable())
      else this.#end()
    } else if (this.#sender.moving === undefined) {
      this.#pass(request, row)
    } else {
      this.#watchOnSlot(request, place)
    }
  }

  /** A node that refuses leaves us without a watch, and EXEC without effect: the client tries again. */
  #watchOnSlot(request: ScannedRequest, slot: number): void {
    const { session } = this.#client
    const { moving } = this.#sender
    const node = this.#shard as Shard
    const ticket = session.open()
    const sink = new Collector(1, (collected) => {
      const reply = collected.frame(0)
      const refusal = reply && isError(reply) && moving?.refusalIn(reply, 0, reply.length, slot)
      if (refusal) moving?.follow(refusal, slot, node, undefined)
      if (refusal || reply === undefined) this.#isBroken = true
      if (reply === undefined) session.failed(ticket, collected.error as Failure)
      else session.settle(ticket, refusal ? OK : Buffer.from(reply))
    })
    this.#send(this.#lease as ShardConnection, request, sink)
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
        } else if (this.#usableLease() !== undefined) this.#finishWith(request)
        else this.#endWith(OK)
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
      this.#failed = true
      this.#client.session.answer(CROSSSLOT)
    } else if (this.#waitsForExec && (this.#hasRoomFor(request) || this.#shard !== undefined)) {
      if (where === 'one') this.#place ??= this.#sender.plan.place
      this.#queueEarly(request, row)
    } else if (this.#shard === undefined && where === 'none') {
      this.#queueEarly(request, row)
    } else if (this.#shard === undefined) {
      this.#startOn(this.#sender.plan.place, request, row)
    } else if (this.#usableLease() === undefined) {
      this.#refuse(this.#refusal ?? this.#unavailable())
    } else {
      this.#queued++
      this.#pass(request, row)
    }
  }

  #locate(request: ScannedRequest, row: CommandRow): Whereabouts {
    if (row.name === 'unwatch') return 'none'
    const where = this.#sender.locate(request, row)
    if (this.#sender.shards.length === 1 || !PUBLISHES.has(row.name)) return where
    this.#publishPlace ??= this.#sender.plan.place
    return 'none'
  }

  #queueEarly(request: ScannedRequest, row: CommandRow): void {
    if (!this.#hasRoomFor(request)) {
      if (this.#publishPlace === undefined) this.#refuse(OVERLOADED)
      else this.#startOn(this.#publishPlace, request, row)
      return
    }
    const { bytes } = new KeptRequest(request)
    this.#early.push({ frame: bytes, script: this.#scripts.scriptOf(request, row) })
    this.#note(request, row)
    this.#queued++
    this.#client.session.answer(QUEUED)
  }

  /** A command that is answered here waits here. What it will do to the lease waits at the shard. */
  #queueHere(request: ScannedRequest, row: CommandRow): void {
    const twin = this.#options.leaseTwin(request, row)
    const isThere = this.#shard !== undefined && !this.#waitsForExec
    if (twin !== undefined && isThere && this.#usableLease() === undefined) {
      this.#refuse(this.#refusal ?? this.#unavailable())
      return
    }
    if (!this.#mayKeep(request)) return
    const hasTwin = twin !== undefined
    this.#own.push({ place: this.#queued, request: new KeptRequest(request), row, hasTwin })
    this.#queued++
    if (twin !== undefined) this.#queueTwin(twin)
    this.#client.session.answer(QUEUED)
  }

  #queueTwin(frame: Buffer): void {
    if (this.#shard !== undefined && !this.#waitsForExec) this.#sendOwn(frame)
    else this.#early.push({ frame, script: undefined })
  }

  #mayKeep(request: Request): boolean {
    const fits = this.#hasRoomFor(request)
    if (!fits) this.#refuse(OVERLOADED)
    return fits
  }

  #hasRoomFor({ frameStart, frameEnd }: Request): boolean {
    const { session } = this.#client
    const length = frameEnd - frameStart
    const bytes = this.#keptBytes + length
    const count = this.#early.length + this.#own.length + this.#lessons.length
    if (count >= TRANSACTION_KEPT_MAX || bytes > TRANSACTION_KEPT_BYTES_MAX) return false
    this.#keptBytes = bytes
    session.keptBytes += length
    return true
  }

  /** The request located last has the transaction's place. */
  #isHere(): boolean {
    return this.#sender.plan.place === this.#place
  }

  /** The place is known: what has been kept goes there, and the request behind it. */
  #startOn(place: number, request: ScannedRequest, row: CommandRow): void {
    const { session } = this.#client
    this.#isSentEarly = true
    // What the client sent before, over shared connections, must have been executed.
    if (session.inFlight > 0) session.defer(request)
    else if (!this.#open(this.#sender.topology.shardAt(place), place)) this.#failed = true
    else if (this.#trying) session.defer(request)
    else {
      this.#queued++
      this.#pass(request, row)
    }
  }

  /** Leases a connection and sends MULTI and the early commands; false: refused, and answered. */
  #open(shard: Shard, place: number | undefined): boolean {
    if (!this.#takeLease(shard, place)) return false
    const pool = this.#pool as LeasePool
    if (!pool.takesMulti) {
      this.#tryMulti(pool)
      return true
    }
    this.#sendOwn(MULTI, (succeeded) => {
      if (succeeded) return
      pool.takesMulti = false
      this.#unqueued = true
    })
    this.#sendEarly()
    return true
  }

  /**
   * The first time in this lane. Behind a MULTI that the shard refuses, the commands would be executed
   * one by one: they wait until it has been taken.
   */
  #tryMulti(pool: LeasePool): void {
    const { session } = this.#client
    this.#trying = true
    session.hold()
    this.#sendOwn(MULTI, (succeeded, error) => {
      this.#trying = false
      pool.takesMulti = succeeded
      if (succeeded) {
        this.#sendEarly()
      } else {
        this.#refusal = error
        this.#part()(error !== undefined)
      }
      if (this.#loading === 0) session.release()
    })
  }

  #sendEarly(): void {
    for (const { frame, script } of this.#early) {
      this.#loadScript(script)
      this.#sendOwn(frame)
    }
    this.#early = []
  }

  #exec(request: ScannedRequest): void {
    const { session } = this.#client
    if (this.#waitsForExec && !this.#failed) {
      this.#execOnSlot(request)
    } else if (this.#unqueued) {
      // The shard says it best: there is nothing to discard.
      this.#finishWith(request)
    } else if (this.#failed || (this.#shard !== undefined && this.#usableLease() === undefined)) {
      this.#abort()
    } else if (this.#shard === undefined && this.#queued === 0) {
      this.#endWith(NO_ELEMENTS)
    } else if (this.#shard !== undefined) {
      this.#finishWith(request, this.#mustReplay)
    } else if (session.inFlight > 0) {
      session.defer(request)
    } else if (this.#early.length === 0) {
      this.#end()
      this.#replay(request, session.open(), NO_ELEMENTS)
    } else if (this.#open(this.#shardOfEarly(), this.#publishPlace)) {
      if (this.#loading > 0 || this.#trying) session.defer(request)
      else this.#finishWith(request, this.#mustReplay)
    } else {
      this.#end()
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
    const hasLease = this.#lease !== undefined
    if (this.#isBroken || (hasLease && this.#usableLease() === undefined)) {
      this.#endWith(nullArrayFrame(lane.protocol))
      return
    }
    if (!hasLease && this.#early.length === 0) {
      if (this.#queued === 0) this.#endWith(NO_ELEMENTS)
      else {
        this.#end()
        this.#replay(request, session.open(), NO_ELEMENTS)
      }
      return
    }
    this.#sendToSlot(new KeptRequest(request))
  }

  #sendToSlot(exec: KeptRequest): void {
    const { session } = this.#client
    const ticket = session.open()
    const slot = this.#place ?? this.#publishPlace ?? this.#sender.topology.keylessPlace
    const run = new SlotExec({
      client: this.#client,
      sender: this.#sender,
      scripts: this.#scripts,
      slot,
      queued: this.#early,
      changesConnection: this.#own.some(({ hasTwin }) => hasTwin),
      watching: this.#handOver(),
      deadlineMs: performance.now() + this.#options.requestTimeoutMs,
      done: (reply) => {
        if (Buffer.isBuffer(reply)) this.#replay(exec, ticket, reply)
        else session.failed(ticket, reply)
        session.release()
      },
    })
    this.#end()
    session.hold()
    run.start()
  }

  /** The connection on which keys are watched is no longer ours. */
  #handOver(): Watching | undefined {
    const lease = this.#lease
    const shard = this.#shard
    if (lease === undefined || shard === undefined) return undefined
    const hasTwins = this.#own.some(({ hasTwin }) => hasTwin)
    const giveBack = this.#part()
    return { lease, shard, giveBack: (clean) => giveBack(clean && !hasTwins) }
  }

  /** For a transaction without keys: where what it publishes has its home, or any. */
  #shardOfEarly(): Shard {
    const { topology } = this.#sender
    const place = this.#publishPlace
    return place === undefined ? this.#sender.anyShard() : topology.shardAt(place)
  }

  /** There is something to do here when the shard has executed its part. */
  get #mustReplay(): boolean {
    return this.#own.length + this.#lessons.length > 0
  }

  #abort(): void {
    this.#client.session.answer(EXECABORT)
    this.#discard()
  }

  /** Ends it without asking the client; the lease goes back when the shard has forgotten it too. */
  #discard(): void {
    const lease = this.#usableLease()
    const frame = this.#queueing && !this.#waitsForExec ? DISCARD : UNWATCH
    if (lease !== undefined)
      lease.send(new OwnReply(this.#part()), 0, frame, 0, frame.length, false)
    this.#end()
  }

  /** Sends the request that ends it all; whatever comes next waits for its reply. */
  #finishWith(request: ScannedRequest, replays = false): void {
    const { session } = this.#client
    const lease = this.#usableLease()
    if (lease === undefined) {
      this.#endWith(OK)
      return
    }
    const hasTwins = this.#own.some(({ hasTwin }) => hasTwin)
    const giveBack = this.#part()
    const done = (ending: Ending): void => {
      giveBack(ending === 'done' && !hasTwins)
      session.release()
    }
    const ticket = session.open()
    session.hold()
    const sink = replays
      ? this.#replayer(request, ticket, done)
      : new ClientReply(session, ticket, done, this.#declinedIn)
    this.#send(lease, request, sink)
    this.#end()
  }

  /** Takes the shard's answer to EXEC and sees to the part that is ours. */
  #replayer(request: ScannedRequest, ticket: number, done: (ending: Ending) => void): ReplySink {
    const exec = new KeptRequest(request)
    return new Collector(1, (collected) => {
      const replies = collected.frame(0)
      if (replies !== undefined) this.#replay(exec, ticket, Buffer.from(replies))
      else this.#client.session.failed(ticket, collected.error as Failure)
      done(replies === undefined ? 'lost' : endingOf(replies, 0))
    })
  }

  #replay(request: Request, ticket: number, replies: Buffer): void {
    const { session } = this.#client
    if (session.closed) return
    const { execute, inHand } = this.#options
    const commands = { own: this.#own, count: this.#queued, execute, inHand }
    const replay = new Replay(this.#client, replies, commands)
    const isExecuted = replay.count >= 0
    if (isExecuted) for (const lesson of this.#lessons) this.#scripts.learn(lesson)
    if (!isExecuted || this.#own.length === 0) {
      session.settle(ticket, replies)
    } else if (!replay.isComplete) {
      session.failed(ticket, UNEXPECTED_REPLIES)
    } else {
      session.settle(ticket, arrayHeader(this.#queued))
      this.#client.mode = replay
      session.defer(request)
    }
  }

  #pass(request: ScannedRequest, row: CommandRow): void {
    const { session } = this.#client
    const lease = this.#lease as ShardConnection
    this.#loadScript(this.#scripts.scriptOf(request, row))
    this.#note(request, row)
    this.#send(
      lease,
      request,
      new ClientReply(
        session,
        session.open(),
        (ending) => {
          if (ending === 'lost') this.#failed = true
        },
        this.#declinedIn,
      ),
    )
  }

  /** No client sees a redirect. */
  get #declinedIn(): DeclinedIn | undefined {
    const { moving } = this.#sender
    const shard = this.#shard
    if (moving === undefined || shard === undefined) return undefined
    const slot = this.#place ?? 0
    return (bytes, start, end) => {
      const refusal = moving.refusalIn(bytes, start, end, slot)
      if (refusal === undefined) return undefined
      moving.follow(refusal, slot, shard, undefined)
      return shard.errors.declined
    }
  }

  /** Remembers a script when it is executed: not before EXEC, and not if too much is kept for that. */
  #note(request: Request, row: CommandRow): void {
    const lesson = this.#scripts.lessonOf(request, row)
    if (lesson === undefined) return
    if (!this.#queueing) this.#scripts.learn(lesson)
    else if (this.#hasRoomFor(request)) this.#lessons.push(lesson)
  }

  /**
   * Sees to it that a script that EVALSHA names is on the shard. Where commands are queued, SCRIPT
   * LOAD would be queued as well: it goes over the shared connection, and is over before EXEC.
   */
  #loadScript(script: Script | undefined): void {
    const { session, lane } = this.#client
    if (script === undefined) return
    const lease = this.#lease as ShardConnection
    if (!this.#queueing) {
      if (!script.isSent(lease)) this.#scripts.load(lease, script)
      return
    }
    const shared = (this.#shard as Shard).connectionFor(lane, session.id)
    if (script.isLoaded(shared)) return
    this.#loading++
    session.hold()
    this.#scripts.load(shared, script, () => {
      if (--this.#loading === 0) session.release()
    })
  }

  #send(lease: ShardConnection, request: Request, sink: ReplySink): void {
    lease.send(sink, 0, request.bytes, request.frameStart, request.frameEnd, false)
  }

  #sendOwn(frame: Buffer, done?: (succeeded: boolean, error?: Buffer) => void): void {
    const sink = new OwnReply((succeeded, error) => {
      if (!succeeded) this.#failed = true
      done?.(succeeded, error)
    })
    if (this.#lease === undefined) sink.failed()
    else this.#lease.send(sink, 0, frame, 0, frame.length, false)
  }

  #takeLease(shard: Shard, place: number | undefined): boolean {
    if (this.#lease !== undefined) return true
    this.#pool = shard.leases(this.#client.lane)
    this.#lease = takeLease(this.#client, shard, this.#pool, false)
    if (this.#lease === undefined) return false
    this.#at = this.#client.lane
    this.#shard = shard
    this.#place = place
    return true
  }

  /** The lease, unless its connection is gone: then what it watched and queued is gone too. */
  #usableLease(): ShardConnection | undefined {
    const state = this.#lease?.state
    if (state === 'ready' || state === 'connecting') return this.#lease
    if (this.#lease !== undefined) {
      this.abandon()
      this.#failed = true
    }
    return undefined
  }

  #unavailable(): Failure {
    return (this.#shard as Shard).refusal()
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
