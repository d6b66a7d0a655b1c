/**
 * DEBUG with `allowAdmin`. What it tells of a key only the shard of the key can tell; everything else
 * goes to all shards, as its row says.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import { argumentWord } from '../core/arguments.ts'
import { CROSSSLOT, type Dispatcher, type SpecialCommand } from '../core/dispatcher.ts'

/** Subcommands whose first argument is a key. */
const ABOUT_A_KEY = new Set(['OBJECT', 'LISTPACK', 'QUICKLIST', 'SDSLEN', 'HTSTATS-KEY'])
/** The one whose arguments are all keys. */
const ABOUT_KEYS = 'DIGEST-VALUE'

export function debugCommand(dispatcher: Dispatcher): Record<string, SpecialCommand> {
  return {
    debug: (client, request, row) => {
      const keys = dispatcher.allowAdmin && request.argc > 2 ? keysOf(request) : 0
      const owners = new Set<number>()
      for (let key = 0; key < keys; key++) owners.add(ownerOf(dispatcher, request, 2 + key))
      const [owner] = owners
      if (owner === undefined) dispatcher.route(client, request, row)
      else if (owners.size === 1) dispatcher.forward(client, request, owner)
      else client.session.answer(CROSSSLOT)
    },
  }
}

/** How many arguments, from the third on, are keys. */
function keysOf(request: ScannedRequest): number {
  const subcommand = argumentWord(request, 1)
  if (ABOUT_A_KEY.has(subcommand)) return 1
  return subcommand === ABOUT_KEYS ? request.argc - 2 : 0
}

function ownerOf({ topology }: Dispatcher, { bytes, offsets }: ScannedRequest, at: number): number {
  return topology.shardOf(bytes, offsets[2 * at] as number, offsets[2 * at + 1] as number)
}
