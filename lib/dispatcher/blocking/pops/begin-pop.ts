/** The beginning of a blocking pop of keys on several shards, or why there is none. */
import type { CommandRow } from '../../../commands/row.ts'
import type { ScannedRequest } from '../../../downstream/session.ts'
import type { Lookout } from '../../../stats/lookout/lookout.ts'
import type { Stats } from '../../../stats/stats.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import type { KeyWaits } from '../keys/key-waits.ts'
import { placedKeys } from '../keys/placed-keys.ts'
import { parsePop } from './pop-request.ts'
import { SeveralPop } from './several-pop.ts'

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
  const pop = parsePop(row.name, request, sender.plan.keyCount)
  if (Buffer.isBuffer(pop)) {
    client.session.answer(pop)
    return
  }
  const placed = placedKeys(client, request, sender, waits)
  if (placed === undefined) return
  lookout.inHand.blocks = true
  const onLost = (): void => {
    stats.popsLost++
  }
  new SeveralPop({ client, waits, pop, placed, places: sender.moving, onLost }).begin()
}
