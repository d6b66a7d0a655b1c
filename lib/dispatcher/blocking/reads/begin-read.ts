/** The beginning of an XREAD BLOCK or XREADGROUP BLOCK of streams on several shards, or why there is none. */
import type { ScannedRequest } from '../../../downstream/session.ts'
import type { Lookout } from '../../../stats/lookout/lookout.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import { severalKeys } from '../../reads/cross-shard.ts'
import type { KeyWaits } from '../keys/key-waits.ts'
import { placedKeys } from '../keys/placed-keys.ts'
import { parseBlockingRead } from './read-request.ts'
import { SeveralRead } from './several-read.ts'

export interface ReadOptions {
  readonly sender: Sender
  readonly lookout: Lookout
  readonly waits: KeyWaits
}

/** The request was located last, on several places. */
export function readFromSeveral(
  { sender, lookout, waits }: ReadOptions,
  client: Client,
  request: ScannedRequest,
  isOfGroup: boolean,
): void {
  const read = parseBlockingRead(severalKeys(sender, client, request))
  const placed = placedKeys(client, request, sender, waits)
  if (placed === undefined) return
  lookout.inHand.blocks = true
  const places = sender.moving
  new SeveralRead({ client, waits, read, isOfGroup, placed, places }).begin()
}
