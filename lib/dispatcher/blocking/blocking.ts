/**
 * Blocking commands. Each waits on a connection of its own, so that no other request waits behind
 * it. The client's later commands wait until it has its answer. When the client goes away the
 * connection is closed at once, so that no element is popped and lost.
 */
import { needsLease } from '../../commands/keys.ts'
import type { CommandTable } from '../../commands/lookup.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT, type Failure, OVERLOADED } from '../../failures.ts'
import { requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { Stats } from '../../stats/stats.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import { Collector, type Finish } from '../core/collector.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { merged, type ReplyTarget } from '../core/finish.ts'
import { ClientReply, OwnReply } from '../core/lease-sink.ts'
import type { Sender } from '../core/sender.ts'
import { keysOfOnePlace } from '../reads/cross-shard.ts'
import type { KeyWaits } from './keys/key-waits.ts'
import { popFromSeveral } from './pops/begin-pop.ts'
import { popsFromSeveral } from './pops/pop-request.ts'
import { readFromSeveral } from './reads/begin-read.ts'
import { readGroupNow } from './reads/group-read.ts'
import { readsStreams } from './reads/read-request.ts'
import { SlotBlock } from './slot-block.ts'
import { timeoutOf } from './timeouts.ts'
import { Waiting } from './waiting.ts'

export interface BlockingOptions {
  readonly table: CommandTable
  readonly sender: Sender
  readonly lookout: Lookout
  /** Of clients that wait for keys on several shards. */
  readonly waits: KeyWaits
  readonly stats: Stats
  /** Reads of keys on several shards are combined. */
  readonly combines: boolean
}

export function blockingCommands(options: BlockingOptions): Record<string, SpecialCommand> {
  const block: SpecialCommand = (client, request, row) => {
    if (needsLease(row, request)) blockOnShard(options, client, request, row)
    else if (options.combines && row.name === 'xreadgroup') readGroup(options, client, request, row)
    else options.sender.dispatch(client, request, row)
  }
  const wait: SpecialCommand = (client, request, row) =>
    waitForReplicas(options, client, request, row)
  const names = options.table.rows().filter((row) => row.flags.has('blocking'))
  return Object.fromEntries(
    names.map((row) => [row.name, row.name === 'wait' || row.name === 'waitaof' ? wait : block]),
  )
}

function blockOnShard(
  options: BlockingOptions,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  const { sender, lookout } = options
  const { session } = client
  const shard = sender.shardFor(request, row)
  if (shard === undefined) {
    blockOnSeveral(options, client, request, row)
    return
  }
  if (session.inFlight > 0) {
    session.defer(request)
    return
  }
  const { moving } = sender
  if (moving !== undefined) {
    const { place: slot } = sender.plan
    const timeout = timeoutOf(request, row)
    const { requestTimeoutMs } = shard.connectionFor(client.lane, session.id)
    lookout.inHand.blocks = true
    const streams = row.name === 'xread' ? keysOfOnePlace(sender, client, request) : undefined
    const way = { places: moving, client, slot, shard, requestTimeoutMs }
    new SlotBlock({ ...way, request, streams, timeout }).begin()
    return
  }
  const pool = shard.leases(client.lane)
  const lease = takeLease(client, shard, pool, true)
  if (lease === undefined) return
  const waiting = new Waiting(client, shard)
  waiting.blockOn(shard, pool, lease)
  lookout.inHand.blocks = true
  send(lease, waiting, request, row)
}

/** XREADGROUP without BLOCK. */
function readGroup(
  { sender }: BlockingOptions,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  const where = sender.locate(request, row)
  if (where === 'one') sender.sendLocated(client, request, row)
  else if (where === 'none') sender.dispatch(client, request, row)
  else readGroupNow(sender, client, request)
}

/** The request was located last, on several places. */
function blockOnSeveral(
  options: BlockingOptions,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  const { session } = client
  const isOfGroup = row.name === 'xreadgroup'
  const reads = options.combines && readsStreams(row.name)
  if (!reads && !popsFromSeveral(row.name)) session.answer(CROSSSLOT)
  else if (session.inFlight > 0) session.defer(request)
  else if (reads) readFromSeveral(options, client, request, isOfGroup)
  else popFromSeveral(options, client, request, row)
}

/**
 * A connection for the client alone; undefined when none is free, after the client has been told.
 * `blocks`: the command may wait for ever.
 */
export function takeLease(
  client: Client,
  shard: Shard,
  pool: LeasePool,
  blocks: boolean,
): ShardConnection | undefined {
  if (shard.connectionFor(client.lane, client.session.id).state === 'waiting') {
    client.session.refuse(shard.refusal())
    return undefined
  }
  const lease = pool.take(blocks)
  if (lease === undefined) client.session.refuse(OVERLOADED)
  return lease
}

function send(
  lease: ShardConnection,
  sink: ReplySink,
  request: Request,
  row: CommandRow,
  ticket = 0,
): void {
  const { bytes, frameStart, frameEnd } = request
  const timeoutMs = waitMs(request, row, lease.requestTimeoutMs)
  lease.send(sink, ticket, bytes, frameStart, frameEnd, false, timeoutMs)
}

/**
 * How long the shard may take: the client's timeout plus the usual time. Infinity for a timeout of
 * 0, and for one that cannot be read, which the shard refuses at once.
 */
function waitMs(request: Request, row: CommandRow, requestTimeoutMs: number): number {
  return timeoutOf(request, row).ms + requestTimeoutMs
}

/**
 * Forms of the commands that ask for nothing and are answered at once. They need the same rights.
 */
const ASK_NOTHING: Readonly<Record<string, Buffer>> = {
  wait: requestFrame(['WAIT', '0', '0']),
  waitaof: requestFrame(['WAITAOF', '0', '0', '0']),
}

/**
 * WAIT and WAITAOF ask every shard and answer the least. Redis counts the writes up to the last
 * command of the connection that asks. So each connection first sends the command in the form that
 * asks for nothing: that sets its mark behind every write that the client has had an answer to.
 */
function waitForReplicas(
  { sender, lookout }: BlockingOptions,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  const { session } = client
  if (session.inFlight > 0) {
    session.defer(request)
    return
  }
  if (!sender.areAllUp(client, request)) return
  const leases: [LeasePool, ShardConnection][] = []
  const giveBack = (clean: boolean): void => {
    for (const [pool, lease] of leases) pool.giveBack(lease, clean)
    client.blocked = undefined
  }
  for (const shard of sender.shards) {
    const pool = shard.leases(client.lane)
    const lease = takeLease(client, shard, pool, true)
    if (lease === undefined) {
      giveBack(true)
      return
    }
    leases.push([pool, lease])
  }
  const ticket = session.open()
  session.untime(ticket)
  const done = new ClientReply(session, ticket, (ending) => {
    giveBack(ending !== 'lost')
    session.release()
  })
  client.blocked = {
    shard: sender.shards[0] as Shard,
    shardClientId: () => undefined,
    waits: true,
    unblocked: false,
    cutShort: (_reason, done) => done(false),
    abandon: () => giveBack(false),
  }
  session.hold(true)
  lookout.inHand.blocks = true
  const least = (replies: readonly Buffer[]) => mergeReplies('agg_min', replies)
  const sink = new AllOrError(done, leases.length, merged(done, 0, true, least))
  const first = ASK_NOTHING[row.name] as Buffer
  for (const [part, [, lease]] of leases.entries()) {
    const timeoutMs = waitMs(request, row, lease.requestTimeoutMs)
    lease.send(new OwnReply(() => {}), 0, first, 0, first.length, false, timeoutMs)
    send(lease, sink, request, row, part)
  }
}

/** Collects replies until one fails, which is the answer then: the others may never come. */
class AllOrError implements ReplySink {
  readonly #target: ReplyTarget
  readonly #collector: Collector
  #isOver = false

  constructor(target: ReplyTarget, count: number, finish: Finish) {
    this.#target = target
    this.#collector = new Collector(count, (collected) => {
      if (!this.#isOver) finish(collected)
    })
  }

  reply(part: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#collector.reply(part, bytes, start, end, last)
  }

  failed(part: number, error: Failure): void {
    if (!this.#isOver) {
      this.#isOver = true
      // The other connections are closed by this: what they owe fails as well, and is forgotten.
      this.#target.failed(0, error)
    }
    this.#collector.failed(part, error)
  }
}
