/**
 * The one place that knows both sides: finds a request's row, decides where it goes, sends it, and
 * lets the reply find its way back.
 */
import { notFound, notSupported, wrongArity } from '../../commands/errors.ts'
import { findKeys, findPatterns, KeyPositions, needsLease } from '../../commands/keys.ts'
import { arityFits, type CommandTable } from '../../commands/lookup.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest, Session } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { LARGE_BYTES } from '../../io/outbox.ts'
import type { Request } from '../../resp/request.ts'
import { KeyGroups } from '../../routing/key-groups.ts'
import { type Merge, mergeReplies } from '../../routing/merge/reassemble.ts'
import { UNKNOWN_COMMAND } from '../../stats/command-counts.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import { NO_KEY } from '../../stats/lookout/shown-key.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { Client } from './client.ts'
import { FanOut, type Finish, type ReplyTarget } from './fan-out.ts'
import { encodeFragment } from './fragment.ts'
import { SplitRead } from './split-read.ts'

export const CROSSSLOT = errorFrame("CROSSSLOT Keys in request don't hash to the same slot")
const NOAUTH = errorFrame('NOAUTH Authentication required.')

/** What a request's keys say about where it goes, when they do not name one shard. */
export const ANY_SHARD = -1
export const SEVERAL_SHARDS = -2

/** Deals with one command in its own way. Answers, forwards, defers or closes, like any handler. */
export type SpecialCommand = (client: Client, request: ScannedRequest, row: CommandRow) => void

export interface DispatcherOptions {
  readonly table: CommandTable
  readonly topology: Topology
  readonly shards: readonly Shard[]
  readonly lanes: Lanes
  /** All that are connected, by session; one map for all dispatchers of a process. */
  readonly clients: Map<number, Client>
  /** Clients must authenticate first. */
  readonly authenticate: boolean
  /** Commands of route `admin` are sent to all shards instead of being refused. */
  readonly allowAdmin: boolean
  readonly lookout: Lookout
}

export class Dispatcher {
  readonly table: CommandTable
  readonly topology: Topology
  readonly shards: readonly Shard[]
  readonly lanes: Lanes
  readonly clients: Map<number, Client>
  readonly lookout: Lookout
  readonly #authenticate: boolean
  readonly allowAdmin: boolean
  /** By row id. */
  readonly #special: (SpecialCommand | undefined)[] = []
  /** Scratch for the request under way. */
  readonly #keys = new KeyPositions()
  readonly #groups = new KeyGroups()
  #nextKeylessShard = 0

  constructor(options: DispatcherOptions) {
    this.table = options.table
    this.topology = options.topology
    this.shards = options.shards
    this.lanes = options.lanes
    this.clients = options.clients
    this.lookout = options.lookout
    this.#authenticate = options.authenticate
    this.allowAdmin = options.allowAdmin
  }

  /** Registers commands by their rows' names. They come before the row's route. */
  register(commands: Readonly<Record<string, SpecialCommand>>): void {
    for (const [name, command] of Object.entries(commands)) {
      const row = this.table.byName(name)
      if (row === undefined) throw new Error(`no row for command ${name}`)
      this.#special[row.id] = command
    }
  }

  /** Throws when a row says that its command is answered or merged here, and nobody does it. */
  assertComplete(): void {
    const unanswered = this.table.rows().filter(({ id, route, responsePolicy, subcommands }) => {
      const isOurs = route === 'local' || (route === 'broadcast' && responsePolicy === 'special')
      return isOurs && subcommands === undefined && this.#special[id] === undefined
    })
    if (unanswered.length === 0) return
    throw new Error(`nothing answers ${unanswered.map(({ name }) => name).join(', ')}`)
  }

  /** Takes care of a new session. */
  serve(session: Session): Client {
    session.authenticated = !this.#authenticate
    const client = new Client(session, this.lanes.first, this, Date.now())
    this.clients.set(session.id, client)
    return client
  }

  forget(client: Client): void {
    this.clients.delete(client.session.id)
    if (client.lane !== this.lanes.first) this.lanes.leave(client.lane)
  }

  handle(client: Client, request: ScannedRequest): void {
    const row = this.table.lookup(request)
    client.session.command = row === undefined ? UNKNOWN_COMMAND : row.id
    if (row === undefined || !arityFits(row, request.argc)) {
      this.#refuseMalformed(client, request, row)
      return
    }
    client.lastCommand = row.name
    this.lookout.note.begin(row.name)
    if (!client.session.authenticated && !row.flags.has('no_auth')) {
      client.session.answer(NOAUTH)
      return
    }
    if (client.subscriptions?.handle(request, row)) return
    if (client.mode?.handle(request, row)) return
    const special = this.#special[row.id]
    if (special !== undefined) special(client, request, row)
    else this.route(client, request, row)
  }

  /** Sends the request where its row's route says. */
  route(client: Client, request: ScannedRequest, row: CommandRow): void {
    switch (row.route) {
      case 'single':
        this.#single(client, request, row)
        return
      case 'split':
        this.#split(client, request, row)
        return
      case 'broadcast':
        this.broadcast(client, request, row)
        return
      case 'admin':
        if (this.allowAdmin) this.broadcast(client, request, row)
        else client.session.answer(adminRefused(row))
        return
      case 'lease':
        if (!needsLease(row, request)) {
          this.#single(client, request, row)
          return
        }
        client.session.answer(notSupported(row))
        return
      default:
        client.session.answer(notSupported(row))
    }
  }

  /** The index of the shard that the request's keys agree on, ANY_SHARD or SEVERAL_SHARDS. */
  shardFor(request: ScannedRequest, row: CommandRow): number {
    const key = row.fixedKey
    if (key !== 0) return this.#ownerOfArgument(request, key)
    const count = findKeys(row, request, this.#keys)
    if (count === 0) return this.shards.length === 1 ? 0 : ANY_SHARD
    this.#groupKeys(request, count)
    const { shards } = this.#groups
    return shards.length > 1 ? SEVERAL_SHARDS : (shards[0] as number)
  }

  /** Answers for a request whose keys live on several shards, and cannot be split. */
  crossSlot(client: Client): void {
    client.session.answer(CROSSSLOT)
  }

  /** Commands without keys go to the shards in turn, to those that are up if any is. */
  anyShard(): number {
    for (let i = 0; i < this.shards.length; i++) {
      this.#nextKeylessShard = (this.#nextKeylessShard + 1) % this.shards.length
      if (this.shards[this.#nextKeylessShard]?.up) break
    }
    return this.#nextKeylessShard
  }

  /** Sends the request as it came to one shard and its reply to the client. */
  forward(client: Client, request: ScannedRequest, shard: number): void {
    const { session } = client
    this.#send(client, request, shard, session, session.open())
  }

  /** The same, but `finish` makes the client's reply of the shard's. */
  forwardAnd(
    client: Client,
    request: ScannedRequest,
    row: CommandRow,
    shard: number,
    finish: Finish,
  ): void {
    const { session } = client
    const fanOut = new FanOut(session, session.open(), 1, row.readonly, finish)
    this.#send(client, request, shard, fanOut, 0)
  }

  /** Sends a frame made here, which nobody will change, to one shard and its reply to `sink`. */
  sendFrame(client: Client, frame: Buffer, shard: number, sink: ReplySink, tag: number): void {
    const connection = (this.shards[shard] as Shard).connectionFor(client.lane, client.session.id)
    connection.send(sink, tag, frame, 0, frame.length, frame.length >= LARGE_BYTES)
  }

  /** Sends the request to all shards and merges their replies as its row says, or by `finish`. */
  broadcast(client: Client, request: ScannedRequest, row: CommandRow, finish?: Finish): void {
    if (this.refuseUnlessAllUp(client)) return
    const { session } = client
    const merged = finish ?? finishFor(row)
    const fanOut = new FanOut(session, session.open(), this.shards.length, row.readonly, merged)
    for (let shard = 0; shard < this.shards.length; shard++) {
      this.#send(client, request, shard, fanOut, shard)
    }
  }

  /** The same with a frame made here; the merged reply goes to `target`. */
  broadcastFrame(
    client: Client,
    frame: Buffer,
    isReadonly: boolean,
    finish: Finish,
    target: ReplyTarget,
    tag: number,
  ): void {
    const fanOut = new FanOut(target, tag, this.shards.length, isReadonly, finish)
    for (let shard = 0; shard < this.shards.length; shard++) {
      this.sendFrame(client, frame, shard, fanOut, shard)
    }
  }

  /** A command for all shards is not begun when one of them is known to be away. */
  refuseUnlessAllUp(client: Client): boolean {
    for (let shard = 0; shard < this.shards.length; shard++) {
      if (this.#refuseIfDown(client, shard)) return true
    }
    return false
  }

  #refuseIfDown(client: Client, index: number): boolean {
    const shard = this.shards[index] as Shard
    if (shard.connectionFor(client.lane, client.session.id).state !== 'waiting') return false
    client.session.answer(shard.refusal())
    return true
  }

  #refuseMalformed(client: Client, request: ScannedRequest, row: CommandRow | undefined): void {
    // A browser or a script was pointed here (SSRF, DNS rebinding): nothing it sends may run.
    if (isHttp(request)) {
      client.session.destroy()
      return
    }
    client.mode?.refused(row)
    client.session.answer(row === undefined ? notFound(this.table, request) : wrongArity(row))
  }

  #single(client: Client, request: ScannedRequest, row: CommandRow): void {
    const shard = this.shardFor(request, row)
    if (
      row.patterns.length > 0 &&
      this.shards.length > 1 &&
      !this.#patternsStay(request, row, shard)
    ) {
      client.session.answer(CROSSSLOT)
      return
    }
    if (shard >= 0) this.forward(client, request, shard)
    else if (shard === ANY_SHARD) this.forward(client, request, this.anyShard())
    else client.session.answer(CROSSSLOT)
  }

  /**
   * Whether every key that SORT's BY and GET patterns make is on `shard`: they are when the part
   * that is hashed does not contain the `*`.
   */
  #patternsStay(request: ScannedRequest, row: CommandRow, shard: number): boolean {
    const { bytes, offsets } = request
    const count = findPatterns(row, request, this.#keys)
    for (let i = 0; i < count; i++) {
      const argument = this.#keys.positions[i] as number
      const start = offsets[2 * argument] as number
      const end = offsets[2 * argument + 1] as number
      if (this.topology.shardOfPattern(bytes, start, end) !== shard) return false
    }
    return true
  }

  #split(client: Client, request: ScannedRequest, row: CommandRow): void {
    const count = findKeys(row, request, this.#keys)
    this.#groupKeys(request, count)
    const { shards, counts, firstKeys } = this.#groups
    if (shards.length === 1) {
      this.forward(client, request, shards[0] as number)
      return
    }
    for (const shard of shards) if (this.#refuseIfDown(client, shard)) return
    const { session, lane } = client
    const owners = this.#groups.owners.slice(0, count)
    const { length } = shards
    const tag = session.open()
    const fanOut =
      row.responsePolicy === undefined
        ? new SplitRead(session, tag, owners, length, row.readonly)
        : new FanOut(session, tag, length, row.readonly, finishFor(row))
    for (let place = 0; place < shards.length; place++) {
      const shard = this.shards[shards[place] as number] as Shard
      this.#noteKey(request, this.#keys.positions[firstKeys[place] as number] as number)
      const outbox = shard.connectionFor(lane, session.id).enter(fanOut, place)
      if (outbox === undefined) continue
      encodeFragment(outbox, request, row.stride, owners, place, counts[place] as number)
    }
  }

  #send(
    client: Client,
    request: ScannedRequest,
    shard: number,
    sink: ReplySink,
    tag: number,
  ): void {
    const { bytes, frameStart, frameEnd } = request
    const owned = request.owned && frameEnd - frameStart >= LARGE_BYTES
    const connection = (this.shards[shard] as Shard).connectionFor(client.lane, client.session.id)
    connection.send(sink, tag, bytes, frameStart, frameEnd, owned)
  }

  #ownerOfArgument(request: ScannedRequest, argument: number): number {
    const { bytes, offsets } = request
    const start = offsets[2 * argument] as number
    const end = offsets[2 * argument + 1] as number
    const hash = this.topology.hashOf(bytes, start, end)
    const shard = this.topology.ownerOf(hash)
    const { lookout } = this
    // Of several keys the first stands for all.
    if (lookout.note.keyHash === NO_KEY) lookout.noteKey(hash, bytes, start, end)
    if (lookout.isSample()) {
      lookout.countKey(hash, bytes, start, end, (this.shards[shard] as Shard).name)
    }
    return shard
  }

  /** Says that the request under way is about this key. */
  #noteKey({ bytes, offsets }: Request, argument: number): void {
    const start = offsets[2 * argument] as number
    const end = offsets[2 * argument + 1] as number
    this.lookout.noteKey(this.topology.hashOf(bytes, start, end), bytes, start, end)
  }

  #groupKeys(request: ScannedRequest, count: number): void {
    const { positions } = this.#keys
    this.#groups.begin(count, this.shards.length)
    for (let key = 0; key < count; key++) {
      this.#groups.add(key, this.#ownerOfArgument(request, positions[key] as number))
    }
  }
}

function finishFor(row: CommandRow): Finish {
  const policy = row.responsePolicy
  // A command whose replies nobody knows how to merge: with one shard there is nothing to merge.
  if (policy === 'special') return (replies) => (replies.length === 1 ? replies[0] : undefined)
  const merge: Merge = policy ?? 'concatenate'
  return (replies) => mergeReplies(merge, replies)
}

export function adminRefused(row: CommandRow): Buffer {
  return errorFrame(
    `ERR ambassador: command '${row.name}' is not supported because ${row.because}; ` +
      'AMBASSADOR_ALLOW_ADMIN=yes sends it to all shards (not sent)',
  )
}

/** `POST / HTTP/1.1` or a `Host:` line, as Redis itself looks for, and `GET / HTTP/1.1` besides. */
function isHttp(request: ScannedRequest): boolean {
  const { bytes, offsets, argc } = request
  const start = offsets[0] as number
  const name = bytes.toString('latin1', start, Math.min(offsets[1] as number, start + 8))
  if (/^(post|host:)$/i.test(name)) return true
  const last = offsets[2 * (argc - 1)] as number
  return argc === 3 && bytes.toString('latin1', last, last + 5) === 'HTTP/'
}
