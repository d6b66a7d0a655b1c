/**
 * The one place that knows both sides: finds a request's row, decides where it goes, sends it, and
 * lets the reply find its way back.
 */
import { notFound, notSupported, wrongArity } from '../commands/errors.ts'
import { findKeys, KeyPositions } from '../commands/keys.ts'
import { arityFits, type CommandTable } from '../commands/lookup.ts'
import type { CommandRow } from '../commands/row.ts'
import type { ScannedRequest, Session } from '../downstream/session.ts'
import { errorFrame } from '../errors.ts'
import { LARGE_BYTES } from '../io/outbox.ts'
import { KeyGroups } from '../routing/key-groups.ts'
import { interleave, type Merge, mergeReplies } from '../routing/reassemble.ts'
import type { Topology } from '../topology/topology.ts'
import type { Shard } from '../upstream/shard.ts'
import { FanOut, type Finish } from './fan-out.ts'
import { encodeFragment } from './fragment.ts'
import type { LocalCommands } from './local.ts'

const CROSSSLOT = errorFrame("CROSSSLOT Keys in request don't hash to the same slot")
const NOAUTH = errorFrame('NOAUTH Authentication required.')

export interface DispatcherOptions {
  readonly table: CommandTable
  readonly topology: Topology
  readonly shards: readonly Shard[]
  readonly local: LocalCommands
}

export class Dispatcher {
  readonly #table: CommandTable
  readonly #topology: Topology
  readonly #shards: readonly Shard[]
  readonly #local: LocalCommands
  /** Scratch for the request under way. */
  readonly #keys = new KeyPositions()
  readonly #groups = new KeyGroups()
  #nextKeylessShard = 0

  constructor(options: DispatcherOptions) {
    this.#table = options.table
    this.#topology = options.topology
    this.#shards = options.shards
    this.#local = options.local
  }

  handle(session: Session, request: ScannedRequest): void {
    const row = this.#table.lookup(request)
    if (row === undefined || !arityFits(row, request.argc)) {
      this.#refuseMalformed(session, request, row)
      return
    }
    if (!session.authenticated && !row.flags.has('no_auth')) {
      session.answer(NOAUTH)
      return
    }
    switch (row.route) {
      case 'single':
        this.#single(session, request, row)
        return
      case 'split':
        this.#split(session, request, row)
        return
      case 'broadcast':
        this.#broadcast(session, request, row)
        return
      case 'local':
        this.#local.handle(session, request, row)
        return
      default:
        session.answer(notSupported(row))
    }
  }

  #refuseMalformed(session: Session, request: ScannedRequest, row: CommandRow | undefined): void {
    // A browser or a script was pointed here (SSRF, DNS rebinding): nothing it sends may run.
    if (isHttp(request)) session.destroy()
    else session.answer(row === undefined ? notFound(this.#table, request) : wrongArity(row))
  }

  #single(session: Session, request: ScannedRequest, row: CommandRow): void {
    const { bytes, offsets } = request
    const key = row.fixedKey
    if (key !== 0) {
      const start = offsets[2 * key] as number
      const end = offsets[2 * key + 1] as number
      this.#forward(session, request, this.#topology.shardOf(bytes, start, end))
      return
    }
    const count = findKeys(row, request, this.#keys)
    if (count === 0) {
      this.#forward(session, request, this.#anyShard())
      return
    }
    this.#groupKeys(request, count)
    if (this.#groups.shards.length > 1) session.answer(CROSSSLOT)
    else this.#forward(session, request, this.#groups.shards[0] as number)
  }

  #split(session: Session, request: ScannedRequest, row: CommandRow): void {
    const count = findKeys(row, request, this.#keys)
    if (request.argc !== 1 + count * row.stride) {
      // MSET with a key that has no value: Redis counts the arguments too.
      session.answer(wrongArity(row))
      return
    }
    this.#groupKeys(request, count)
    const { shards } = this.#groups
    if (shards.length === 1) {
      this.#forward(session, request, shards[0] as number)
      return
    }
    if (this.#refuseUnlessUp(session, shards)) return
    const owners = this.#groups.owners.slice(0, count)
    const merge = row.responsePolicy
    const finish: Finish =
      merge === undefined || merge === 'special'
        ? (replies) => interleave(replies, owners)
        : (replies) => mergeReplies(merge, replies)
    const fanOut = new FanOut(session, session.open(), shards.length, row.readonly, finish)
    for (let place = 0; place < shards.length; place++) {
      const shard = this.#shards[shards[place] as number] as Shard
      const outbox = shard.connectionFor(session.id).enter(fanOut, place)
      if (outbox === undefined) continue
      encodeFragment(outbox, request, row.stride, owners, place, this.#groups.counts[place] as number)
    }
  }

  #broadcast(session: Session, request: ScannedRequest, row: CommandRow): void {
    const all = this.#shards.map((_, index) => index)
    if (this.#refuseUnlessUp(session, all)) return
    const policy = row.responsePolicy
    const merge: Merge = policy === undefined || policy === 'special' ? 'concatenate' : policy
    const finish: Finish = (replies) => mergeReplies(merge, replies)
    const fanOut = new FanOut(session, session.open(), all.length, row.readonly, finish)
    for (const index of all) this.#send(session, request, index, fanOut, index)
  }

  /** Sends the request as it came to the one shard that it concerns. */
  #forward(session: Session, request: ScannedRequest, shard: number): void {
    this.#send(session, request, shard, session, session.open())
  }

  #send(
    session: Session,
    request: ScannedRequest,
    shard: number,
    sink: Session | FanOut,
    tag: number,
  ): void {
    const { bytes, frameStart, frameEnd } = request
    const owned = request.owned && frameEnd - frameStart >= LARGE_BYTES
    const connection = (this.#shards[shard] as Shard).connectionFor(session.id)
    connection.send(sink, tag, bytes, frameStart, frameEnd, owned)
  }

  #groupKeys(request: ScannedRequest, count: number): void {
    const { bytes, offsets } = request
    const { positions } = this.#keys
    this.#groups.begin(count, this.#shards.length)
    for (let key = 0; key < count; key++) {
      const argument = positions[key] as number
      const start = offsets[2 * argument] as number
      const end = offsets[2 * argument + 1] as number
      this.#groups.add(key, this.#topology.shardOf(bytes, start, end))
    }
  }

  /** A command for several shards is not begun when one of them is known to be away. */
  #refuseUnlessUp(session: Session, shards: readonly number[]): boolean {
    for (const index of shards) {
      const shard = this.#shards[index] as Shard
      if (shard.connectionFor(session.id).state === 'waiting') {
        session.answer(shard.errors.unavailable.frame)
        return true
      }
    }
    return false
  }

  /** Commands without keys go to the shards in turn, to those that are up if any is. */
  #anyShard(): number {
    for (let i = 0; i < this.#shards.length; i++) {
      this.#nextKeylessShard = (this.#nextKeylessShard + 1) % this.#shards.length
      if (this.#shards[this.#nextKeylessShard]?.up) break
    }
    return this.#nextKeylessShard
  }
}

/** `POST / HTTP/1.1` or a `Host:` line, as Redis itself looks for, and `GET / HTTP/1.1` besides. */
function isHttp(request: ScannedRequest): boolean {
  const { bytes, offsets, argc } = request
  const name = bytes.toString('latin1', offsets[0], Math.min(offsets[1] as number, (offsets[0] as number) + 8))
  if (/^(post|host:)$/i.test(name)) return true
  const last = 2 * (argc - 1)
  return argc === 3 && bytes.toString('latin1', offsets[last], (offsets[last] as number) + 5) === 'HTTP/'
}
