/** Sends what a flight asks the shard, in one piece. */
import { requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import { UNKNOWN_COMMAND } from '../../stats/command-counts.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { EXPIRY, type Flight, READ, TRACK } from './flight.ts'

const CACHING_YES = requestFrame(['CLIENT', 'CACHING', 'YES'])
const PTTL = Buffer.from('*2\r\n$4\r\nPTTL\r\n')

/** The flight has begun, and hears of the replies from now on. */
export function takeOff(
  flight: Flight,
  { bytes, offsets, frameStart, frameEnd }: Request,
  connection: ShardConnection,
  inHand: InHand,
  asksExpiry: boolean,
): void {
  const { command } = inHand
  // The first and the last are ours, and no client's slow request.
  inHand.command = UNKNOWN_COMMAND
  connection.enter(flight, TRACK)?.append(CACHING_YES, 0, CACHING_YES.length)
  inHand.command = command
  connection.enter(flight, READ)?.append(bytes, frameStart, frameEnd)
  if (!asksExpiry) return
  inHand.command = UNKNOWN_COMMAND
  const outbox = connection.enter(flight, EXPIRY)
  outbox?.append(PTTL, 0, PTTL.length)
  // The key with its header, as it stands in the request.
  outbox?.append(bytes, (offsets[1] as number) + 2, (offsets[3] as number) + 2)
  inHand.command = command
}
