/** The beginning of a blocking pop of keys on several shards, or why there is none. */
import type { CommandRow } from '../../../commands/row.ts'
import type { ScannedRequest } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import type { Lookout } from '../../../stats/lookout/lookout.ts'
import type { Stats } from '../../../stats/stats.ts'
import { argument } from '../../core/arguments.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import type { KeyWaits } from './key-waits.ts'
import { parsePop } from './pop-request.ts'
import { SeveralPop } from './several-pop.ts'
import type { PlacedKey } from './waited-keys.ts'

export interface PopOptions {
  readonly sender: Sender
  readonly lookout: Lookout
  readonly waits: KeyWaits
  readonly stats: Stats
}

/** The request was located last, on several places. */
export function popFromSeveral(
  { sender, lookout, waits, stats }: PopOptions,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  const { session } = client
  const pop = parsePop(row.name, request, sender.plan.keyCount)
  if (Buffer.isBuffer(pop)) {
    session.answer(pop)
    return
  }
  const placed = keysOf(request, sender)
  // Where places move their next owners are waited for.
  if (placed.some(({ place }) => sender.waitsFor(client, request, place))) return
  const refusal = refusalFor(placed, client, waits)
  if (refusal !== undefined) {
    session.refuse(refusal)
    return
  }
  lookout.inHand.blocks = true
  const onLost = (): void => {
    stats.popsLost++
  }
  new SeveralPop({ client, waits, pop, placed, places: sender.moving, onLost }).begin()
}

/** Each once, as Redis takes no notice of a second one. */
function keysOf(request: ScannedRequest, { plan, topology }: Sender): PlacedKey[] {
  const { keyCount, keys, groups } = plan
  const placed = new Map<string, PlacedKey>()
  for (let key = 0; key < keyCount; key++) {
    const name = Buffer.from(argument(request, keys.positions[key] as number))
    const text = name.toString('latin1')
    if (placed.has(text)) continue
    const place = groups.places[groups.groupOf[key] as number] as number
    placed.set(text, { shard: topology.shardAt(place), name, place })
  }
  return [...placed.values()]
}

/** Nothing is begun where one of the shards is known to be away, or does not announce changes. */
function refusalFor(
  keys: readonly PlacedKey[],
  { lane, session }: Client,
  waits: KeyWaits,
): Failure | undefined {
  const shards = new Set(keys.map(({ shard }) => shard))
  for (const shard of shards) {
    if (shard.isAway(lane, session.id)) return shard.refusal()
    const refusal = waits.refusalOf(shard, lane, keys.length)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
