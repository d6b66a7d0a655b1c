/**
 * DEBUG with `allowAdmin`. What it tells of a key only the shard of the key can tell; everything else
 * goes to all shards, as its row says.
 */

import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT } from '../../failures.ts'
import { placeOf } from '../../routing/places.ts'
import { argumentWord } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'

/** Subcommands whose first argument is a key. */
const ABOUT_A_KEY = new Set(['OBJECT', 'LISTPACK', 'QUICKLIST', 'SDSLEN', 'HTSTATS-KEY'])
/** The one whose arguments are all keys. */
const ABOUT_KEYS = 'DIGEST-VALUE'

export function debugCommand(sender: Sender): Record<string, SpecialCommand> {
  return {
    debug: (client, request, row) => {
      const keys = sender.policy.allowAdmin && request.argc > 2 ? keysOf(request) : 0
      const places = new Set<number>()
      for (let key = 0; key < keys; key++) places.add(placeOfArgument(sender, request, 2 + key))
      const [place] = places
      if (place === undefined) sender.dispatch(client, request, row)
      else if (places.size === 1) {
        sender.sendToPlace(client, request, place)
      } else client.session.answer(CROSSSLOT)
    },
  }
}

/** How many arguments, from the third on, are keys. */
function keysOf(request: ScannedRequest): number {
  const subcommand = argumentWord(request, 1)
  if (ABOUT_A_KEY.has(subcommand)) return 1
  return subcommand === ABOUT_KEYS ? request.argc - 2 : 0
}

function placeOfArgument(
  { topology }: Sender,
  { bytes, offsets }: ScannedRequest,
  at: number,
): number {
  return placeOf(topology, bytes, offsets[2 * at] as number, offsets[2 * at + 1] as number)
}
