/** The keys that a client is about to wait for, and why it cannot. */
import type { ScannedRequest } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import { argument } from '../../core/arguments.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import type { KeyWaits } from './key-waits.ts'
import type { PlacedKey } from './waited-keys.ts'

/**
 * The keys of the request that was located last, each once. Undefined: the client has been refused, or its
 * request comes again.
 */
export function placedKeys(
  client: Client,
  request: ScannedRequest,
  sender: Sender,
  waits: KeyWaits,
): readonly PlacedKey[] | undefined {
  const placed = keysOf(request, sender)
  // Where places move their next owners are waited for.
  if (placed.some(({ place }) => sender.waitsFor(client, request, place))) return undefined
  const refusal = refusalFor(placed, client, waits)
  if (refusal === undefined) return placed
  client.session.refuse(refusal)
  return undefined
}

/** Redis takes no notice of a second one. */
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
