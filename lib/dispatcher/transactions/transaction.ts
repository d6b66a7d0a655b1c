/**
 * WATCH, MULTI, EXEC, DISCARD and UNWATCH on a leased connection. The first key says which shard;
 * until then MULTI and keyless commands are kept here. A key of another shard is refused, and the
 * transaction with it, as Redis does for errors while queueing.
 */
import { rejected } from '../../commands/errors.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import {
  adminRefused,
  CROSSSLOT,
  type Failure,
  notSupported,
  OVERLOADED,
  refusedInTransaction,
} from '../../failures.ts'
import { TRANSACTION_EARLY_MAX } from '../../limits.ts'
import { OK, requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Request } from '../../resp/request.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Lane, Lanes } from '../../upstream/lane.ts'
import type { LeasePool } from '../../upstream/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { takeLease } from '../blocking/blocking.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { PassOn, Swallow } from '../core/lease-sink.ts'
import type { Mode } from '../core/mode.ts'
import type { Sender } from '../core/sender.ts'
import type { Scripts } from '../scripts/scripts.ts'

const QUEUED = Buffer.from('+QUEUED\r\n')
const EMPTY = Buffer.from('*0\r\n')
const EXECABORT = errorFrame('EXECABORT Transaction discarded because of previous errors.')
const EXEC_WITHOUT_MULTI = errorFrame('ERR EXEC without MULTI')
const DISCARD_WITHOUT_MULTI = errorFrame('ERR DISCARD without MULTI')
const NESTED = errorFrame('ERR MULTI calls can not be nested')
const WATCH_INSIDE = errorFrame('ERR WATCH inside MULTI is not allowed')
const MULTI = requestFrame(['MULTI'])
const DISCARD = requestFrame(['DISCARD'])

/** Answered here otherwise, but a shard can queue them like any command without keys. */
const QUEUED_BY_SHARD = new Set(['ping', 'echo', 'unwatch'])

/**
 * They would move the client to another lane, and the watched keys and queued commands are on one.
 * SELECT may as long as nothing is queued: the lease follows.
 */
const MOVES_LANE = new Set(['select', 'auth', 'hello'])

export interface TransactionOptions {
  readonly sender: Sender
  readonly lanes: Lanes
  readonly scripts: Scripts
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
  readonly #sender: Sender
  readonly #lanes: Lanes
  readonly #scripts: Scripts
  /** What all keys must share; undefined before a key has named it. */
  #place: number | undefined
  /** Where the lease is; undefined before it is known. */
  #shard: Shard | undefined
  #lease: ShardConnection | undefined
  #pool: LeasePool | undefined
  /** The database that the lease has selected. */
  #database: number | undefined
  /** The lease's lane, which the client has left with SELECT; without users it would be closed. */
  #left: Lane | undefined
  /** MULTI has been answered: requests are queued. Before: keys are watched. */
  #queueing = false
  #queued = 0
  /** Commands that were answered QUEUED before the shard was known. */
  #early: KeptRequest[] = []
  #failed = false
  /** The shard's answer to MULTI has to be waited for. */
  #trying = false
  /** The shard's error, when it does not let us use MULTI; then nothing has been sent behind it. */
  #refusal: Buffer | undefined
  /** MULTI, which used to work there, was refused: what was sent behind it has been executed. */
  #unqueued = false
  /** Scripts on their way to the shard; whatever comes next waits for them. */
  #loading = 0

  constructor(client: Client, { sender, lanes, scripts }: TransactionOptions) {
    this.#client = client
    this.#sender = sender
    this.#lanes = lanes
    this.#scripts = scripts
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
    if (!this.#queueing) return
    if (row?.name === 'exec') this.#discard()
    else this.#failed = true
  }

  abandon(): void {
    this.#part()(false)
  }

  /** Forgets the lease. The caller gives it back with the result, now or later, as in LeasePool. */
  #part(): (clean: boolean) => void {
    const lease = this.#lease
    const pool = this.#pool
    const left = this.#left
    this.#lease = undefined
    this.#left = undefined
    return (clean) => {
      if (lease !== undefined) pool?.giveBack(lease, clean && left === undefined)
      if (left !== undefined) this.#lanes.leave(left)
    }
  }

  handle(request: ScannedRequest, row: CommandRow): boolean {
    if (row.name === 'quit' || row.name === 'reset') return false
    if (MOVES_LANE.has(row.name) && (this.#queueing || row.name !== 'select')) {
      this.#refuse(refusedInTransaction(row.name))
      return true
    }
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
    if (this.#database !== lane.database && this.#usableLease() !== undefined) {
      this.#followTo(lane.database as number)
      session.defer(request)
      return true
    }
    switch (row.name) {
      case 'select':
        this.#left ??= this.#lanes.enter(lane)
        return false
      case 'watch':
        this.#watch(request, row)
        return true
      case 'unwatch':
        this.#finishWith(request)
        return true
      case 'multi':
        this.#queueing = true
        if (this.#usableLease() === undefined) session.answer(OK)
        else this.#pass(request)
        return true
      case 'exec':
      case 'discard':
        return false
      default:
        return this.#passIfHere(request, row)
    }
  }

  /** The client has selected another database. What is watched on the old one stays watched. */
  #followTo(database: number): void {
    const { session } = this.#client
    this.#database = database
    session.hold()
    this.#sendOwn(requestFrame(['SELECT', String(database)]), (succeeded) => {
      // Commands would be executed on the wrong database.
      if (!succeeded) this.abandon()
      session.release()
    })
  }

  /** Sends a command over the lease if all its keys live on the lease's shard. */
  #passIfHere(request: ScannedRequest, row: CommandRow): boolean {
    const keyed = row.route === 'single' || row.route === 'split'
    if (!keyed || this.#usableLease() === undefined) return false
    if (this.#sender.locate(request, row) !== 'one' || !this.#isHere()) return false
    this.#pass(request)
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
    } else {
      this.#pass(request)
    }
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
        if (this.#usableLease() !== undefined) this.#finishWith(request)
        else this.#endWith(OK)
        break
      default:
        this.#queue(request, row)
    }
    return true
  }

  #queue(request: ScannedRequest, row: CommandRow): void {
    if (row.flags.has('no_multi')) {
      this.#refuse(rejected(row, 'Command not allowed inside a transaction'))
      return
    }
    if (!this.#mayQueue(row)) {
      this.#refuse(this.#whyNot(row))
      return
    }
    const keyless = QUEUED_BY_SHARD.has(row.name)
    const where = keyless ? 'none' : this.#sender.locate(request, row)
    if (where === 'several' || (where === 'one' && this.#place !== undefined && !this.#isHere())) {
      this.#failed = true
      this.#client.session.answer(CROSSSLOT)
    } else if (this.#shard === undefined && where === 'none') {
      this.#queueEarly(request)
    } else if (this.#shard === undefined) {
      this.#startOnPlan(request)
    } else if (this.#usableLease() === undefined) {
      this.#refuse(this.#refusal ?? this.#unavailable())
    } else {
      this.#queued++
      this.#pass(request)
    }
  }

  /** Whether one shard alone can queue and execute the command. */
  #mayQueue(row: CommandRow): boolean {
    if (QUEUED_BY_SHARD.has(row.name)) return true
    const { shards, policy } = this.#sender
    if (row.route === 'broadcast') return shards.length === 1
    if (row.route === 'admin') return shards.length === 1 && policy.allowAdmin
    return row.route === 'single' || row.route === 'split' || row.flags.has('blocking')
  }

  #whyNot({ route, name, because }: CommandRow): Failure {
    if (route === 'admin' && !this.#sender.policy.allowAdmin) return adminRefused(name, because)
    return route === 'admin' || because === undefined
      ? refusedInTransaction(name)
      : notSupported(name, because)
  }

  #queueEarly(request: ScannedRequest): void {
    if (this.#early.length >= TRANSACTION_EARLY_MAX) {
      this.#refuse(OVERLOADED)
      return
    }
    this.#early.push(new KeptRequest(request))
    this.#queued++
    this.#client.session.answer(QUEUED)
  }

  /** The request located last has the transaction's place. */
  #isHere(): boolean {
    return this.#sender.plan.place === this.#place
  }

  /** The first key has named the place: what has been kept goes there, and the request behind it. */
  #startOnPlan(request: ScannedRequest): void {
    const { session } = this.#client
    // What the client sent before, over shared connections, must have been executed.
    if (session.inFlight > 0) session.defer(request)
    else if (!this.#open(this.#sender.shardOfPlan(), this.#sender.plan.place)) this.#failed = true
    else if (this.#trying) session.defer(request)
    else {
      this.#queued++
      this.#pass(request)
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
    for (const early of this.#early) {
      this.#loadScript(early)
      this.#sendOwn(early.bytes)
    }
    this.#early = []
  }

  #exec(request: ScannedRequest): void {
    const { session } = this.#client
    if (this.#unqueued) {
      // The shard says it best: there is nothing to discard.
      this.#finishWith(request)
    } else if (this.#failed || (this.#shard !== undefined && this.#usableLease() === undefined)) {
      this.#abort()
    } else if (this.#shard === undefined && this.#early.length === 0) {
      this.#endWith(EMPTY)
    } else if (this.#shard !== undefined) {
      this.#finishWith(request)
    } else if (session.inFlight > 0) {
      session.defer(request)
    } else if (this.#open(this.#sender.anyShard(), undefined)) {
      if (this.#loading > 0 || this.#trying) session.defer(request)
      else this.#finishWith(request)
    } else {
      this.#end()
    }
  }

  #abort(): void {
    this.#client.session.answer(EXECABORT)
    this.#discard()
  }

  /** Ends it without asking the client; the lease goes back when the shard has forgotten it too. */
  #discard(): void {
    const lease = this.#usableLease()
    if (lease !== undefined) {
      lease.send(new Swallow(this.#part()), 0, DISCARD, 0, DISCARD.length, false)
    }
    this.#end()
  }

  /** Sends the request that ends it all; whatever comes next waits for its reply. */
  #finishWith(request: ScannedRequest): void {
    const { session } = this.#client
    const lease = this.#usableLease()
    if (lease === undefined) {
      this.#endWith(OK)
      return
    }
    const giveBack = this.#part()
    session.hold()
    this.#send(
      lease,
      request,
      new PassOn(session, session.open(), (ending) => {
        giveBack(ending === 'done')
        session.release()
      }),
    )
    this.#end()
  }

  #pass(request: ScannedRequest): void {
    const { session } = this.#client
    const lease = this.#lease as ShardConnection
    this.#loadScript(request)
    this.#send(
      lease,
      request,
      new PassOn(session, session.open(), (ending) => {
        if (ending === 'lost') this.#failed = true
      }),
    )
  }

  /**
   * Sees to it that a script that EVALSHA names is on the shard. Where commands are queued, SCRIPT
   * LOAD would be queued as well: it goes over the shared connection, and is over before EXEC.
   */
  #loadScript(request: Request): void {
    const { session, lane } = this.#client
    const script = this.#scripts.scriptOf(request)
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
    const sink = new Swallow((succeeded, error) => {
      if (!succeeded) this.#failed = true
      done?.(succeeded, error)
    })
    this.#lease?.send(sink, 0, frame, 0, frame.length, false)
  }

  #takeLease(shard: Shard, place: number | undefined): boolean {
    if (this.#lease !== undefined) return true
    this.#pool = shard.leases(this.#client.lane)
    this.#lease = takeLease(this.#client, shard, this.#pool, false)
    if (this.#lease === undefined) return false
    this.#database = this.#client.lane.database
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
