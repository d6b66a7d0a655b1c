/**
 * Commands that read several keys which live on several shards: asks each shard for its part and
 * answers what one Redis would. What is held for that is bounded, for one command and in all.
 */

import { needsLease } from '../../commands/keys.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT, type Failure, READ_TOO_LARGE, READS_OVERLOADED } from '../../failures.ts'
import { CROSS_SHARD_READ_BYTES_MAX, CROSS_SHARD_READS_BYTES_MAX } from '../../limits.ts'
import type { DoubleFormat } from '../../resp/double.ts'
import { requestFrame } from '../../resp/encode.ts'
import {
  CROSS_SHARD_READS,
  judgement,
  type ReadPlanner,
  type SeveralKeys,
} from '../../routing/reads/cross-shard-read.ts'
import { ownFrame } from '../../upstream/backend.ts'
import { argumentText } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import { type Budget, Collector } from '../core/collector.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { merged } from '../core/finish.ts'
import type { Sender, Target } from '../core/sender.ts'

/**
 * `before`: commands for requests whose keys are all on one shard, or that block; a command that is
 * not in there takes its row's handling. `scoreFormat`: how the shards write scores now. `bytesMax`: of
 * replies that wait to be combined, by default CROSS_SHARD_READS_BYTES_MAX.
 */
export function crossShardReads<T extends Target>(
  sender: Sender<T>,
  before: Readonly<Record<string, SpecialCommand>>,
  scoreFormat: () => DoubleFormat,
  bytesMax = CROSS_SHARD_READS_BYTES_MAX,
): Record<string, SpecialCommand> {
  const held: HeldBytes = { bytes: 0, bytesMax }
  const usual: SpecialCommand = (client, request, row) => sender.dispatch(client, request, row)
  const special = (planner: ReadPlanner, otherwise: SpecialCommand): SpecialCommand => {
    return (client, request, row) => {
      const blocks = row.handling === 'lease' && needsLease(row, request)
      const where = blocks ? 'none' : sender.locate(request, row)
      if (where === 'none') otherwise(client, request, row)
      else if (where === 'one') sender.sendLocated(client, request, row)
      else if (sender.admitsToGroups(client, request)) {
        const keys = severalKeys(sender, client, request)
        read(sender, client, { ...keys, formatScore: scoreFormat() }, planner, held)
      }
    }
  }
  return Object.fromEntries(
    Object.entries(CROSS_SHARD_READS).map(([name, planner]) => [
      name,
      special(planner, before[name] ?? usual),
    ]),
  )
}

/** Bytes of shards' replies that wait to be combined. */
interface HeldBytes {
  bytes: number
  readonly bytesMax: number
}

function read<T extends Target>(
  sender: Sender<T>,
  client: Client,
  command: SeveralKeys,
  planner: ReadPlanner,
  held: HeldBytes,
): void {
  const { reads, finish } = planner(command) ?? judgement(command, CROSSSLOT)
  const { session } = client
  const answer = merged(session, session.open(), true, finish)
  const collector = new Collector(reads.length, answer, new ReadBudget(held))
  for (const [part, { place, args }] of reads.entries()) {
    sender.frameToPlace(client, ownFrame(requestFrame(args)), place, collector, part)
  }
}

/** Of the request located last, on several places. */
export function severalKeys(
  sender: Pick<Sender, 'plan'>,
  client: Client,
  request: ScannedRequest,
): Omit<SeveralKeys, 'formatScore'> {
  const { groups } = sender.plan
  const placeOf = (key: number) => groups.places[groups.groupOf[key] as number] as number
  return keysOf(sender, client, request, placeOf)
}

/** Of the request located last, on one place. */
export function keysOfOnePlace(
  sender: Pick<Sender, 'plan'>,
  client: Client,
  request: ScannedRequest,
): Omit<SeveralKeys, 'formatScore'> {
  const { place } = sender.plan
  return keysOf(sender, client, request, () => place)
}

function keysOf(
  { plan }: Pick<Sender, 'plan'>,
  client: Client,
  request: ScannedRequest,
  placeOf: (key: number) => number,
): Omit<SeveralKeys, 'formatScore'> {
  const { keyCount, keys } = plan
  return {
    args: Array.from({ length: request.argc }, (_, i) => argumentText(request, i)),
    firstKey: keys.positions[0] as number,
    places: Array.from({ length: keyCount }, (_, key) => placeOf(key)),
    protocol: client.lane.protocol,
  }
}

/** Of one command, out of what all such commands may hold. */
class ReadBudget implements Budget {
  readonly #held: HeldBytes
  #bytes = 0

  constructor(held: HeldBytes) {
    this.#held = held
  }

  take(bytes: number): Failure | undefined {
    if (this.#bytes + bytes > CROSS_SHARD_READ_BYTES_MAX) return READ_TOO_LARGE
    if (this.#held.bytes + bytes > this.#held.bytesMax) return READS_OVERLOADED
    this.#bytes += bytes
    this.#held.bytes += bytes
    return undefined
  }

  release(): void {
    this.#held.bytes -= this.#bytes
    this.#bytes = 0
  }
}
