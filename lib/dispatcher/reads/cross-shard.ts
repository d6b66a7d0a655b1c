/**
 * Commands that read several keys which live on several shards: asks each shard for its part and
 * answers what one Redis would. What is held for that is bounded, for one command and in all.
 */
import { findKeys, KeyPositions, needsLease } from '../../commands/keys.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest, Session } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { CROSS_SHARD_READ_BYTES_MAX, CROSS_SHARD_READS_BYTES_MAX } from '../../limits.ts'
import type { DoubleFormat } from '../../resp/double.ts'
import { requestFrame } from '../../resp/encode.ts'
import {
  CROSS_SHARD_READS,
  type CrossShardRead,
  judgement,
  type ReadPlanner,
  type SeveralKeys,
} from '../../routing/reads/cross-shard-read.ts'
import type { ReplySink, ShardError } from '../../upstream/reply-sink.ts'
import { argumentText } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import {
  CROSSSLOT,
  type Dispatcher,
  SEVERAL_SHARDS,
  type SpecialCommand,
} from '../core/dispatcher.ts'
import { FanOut } from '../core/fan-out.ts'

/**
 * `before`: how these commands are dealt with otherwise; commands not in there take their row's
 * route. They go that way whenever one shard has all their keys, and when they block.
 * `scoreFormat`: how the shards write scores now.
 */
export function crossShardReads(
  dispatcher: Dispatcher,
  before: Readonly<Record<string, SpecialCommand>>,
  scoreFormat: () => DoubleFormat,
): Record<string, SpecialCommand> {
  const held: HeldBytes = { bytes: 0 }
  const route: SpecialCommand = (client, request, row) => dispatcher.route(client, request, row)
  const special = (planner: ReadPlanner, otherwise: SpecialCommand): SpecialCommand => {
    return (client, request, row) => {
      const blocks = row.route === 'lease' && needsLease(row, request)
      const shard = blocks ? SEVERAL_SHARDS : dispatcher.shardFor(request, row)
      if (shard >= 0) dispatcher.forward(client, request, shard)
      else if (blocks || shard !== SEVERAL_SHARDS) otherwise(client, request, row)
      else {
        const keys = severalKeys(dispatcher, client, request, row)
        read(dispatcher, client, { ...keys, formatScore: scoreFormat() }, planner, held)
      }
    }
  }
  return Object.fromEntries(
    Object.entries(CROSS_SHARD_READS).map(([name, planner]) => [
      name,
      special(planner, before[name] ?? route),
    ]),
  )
}

/** Bytes of shards' replies that wait to be combined. */
interface HeldBytes {
  bytes: number
}

function read(
  dispatcher: Dispatcher,
  client: Client,
  command: SeveralKeys,
  planner: ReadPlanner,
  held: HeldBytes,
): void {
  const { reads, finish } = planner(command) ?? judgement(command, CROSSSLOT)
  const { session } = client
  const sink = new BoundedRead(session, session.open(), reads.length, finish, held)
  for (const [index, { shard, args }] of reads.entries()) {
    dispatcher.sendFrame(client, requestFrame(args), shard, sink, index)
  }
}

function severalKeys(
  { topology }: Dispatcher,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): Omit<SeveralKeys, 'formatScore'> {
  const { bytes, offsets, argc } = request
  const keys = new KeyPositions()
  const count = findKeys(row, request, keys)
  const owners = Array.from(keys.positions.subarray(0, count), (position) =>
    topology.shardOf(bytes, offsets[2 * position] as number, offsets[2 * position + 1] as number),
  )
  return {
    args: Array.from({ length: argc }, (_, i) => argumentText(request, i)),
    firstKey: keys.positions[0] as number,
    owners,
    protocol: client.lane.protocol,
  }
}

const MEGABYTES = CROSS_SHARD_READ_BYTES_MAX / 1024 / 1024
const TOO_LARGE: ShardError = {
  frame: errorFrame(
    `ERR ambassador: keys on several shards are too large to be combined (over ${MEGABYTES} MB)`,
  ),
  maybeExecuted: false,
}
const OVERLOADED: ShardError = {
  frame: errorFrame('ERR ambassador: overloaded by commands over keys on several shards'),
  maybeExecuted: false,
}

/** Stands between the shards and the fan-out, and lets no more through than may be held. */
class BoundedRead implements ReplySink {
  readonly #fanOut: FanOut
  readonly #held: HeldBytes
  #bytes = 0
  #error: ShardError | undefined

  constructor(
    session: Session,
    tag: number,
    fragments: number,
    finish: CrossShardRead['finish'],
    held: HeldBytes,
  ) {
    this.#held = held
    const target = {
      reply: (_tag: number, bytes: Buffer, start: number, end: number, last: boolean): void => {
        held.bytes -= this.#bytes
        session.reply(tag, bytes, start, end, last)
      },
    }
    this.#fanOut = new FanOut(target, tag, fragments, true, finish)
  }

  reply(fragment: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const length = end - start
    if (this.#bytes + length > CROSS_SHARD_READ_BYTES_MAX) this.#error ??= TOO_LARGE
    if (this.#held.bytes + length > CROSS_SHARD_READS_BYTES_MAX) this.#error ??= OVERLOADED
    if (this.#error === undefined) {
      this.#bytes += length
      this.#held.bytes += length
      this.#fanOut.reply(fragment, bytes, start, end, last)
    } else if (last) {
      this.#fanOut.failed(fragment, this.#error)
    }
  }

  failed(fragment: number, error: ShardError): void {
    this.#fanOut.failed(fragment, error)
  }
}
