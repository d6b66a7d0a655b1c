/** Which slots each master has, as it says itself. */
import { arrayHeader, requestFrame } from '../../resp/encode.ts'
import { type LineOf, ownLineIn } from '../../routing/scan-round.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { ReplyTarget } from '../core/finish.ts'
import type { Sender } from '../core/sender.ts'

const CLUSTER_NODES = requestFrame(['CLUSTER', 'NODES'])
const NOTHING = arrayHeader(0)

/** Asks all masters on behalf of the client. `failed` is called in place of `done`. */
export function askHoldings(
  sender: Sender,
  client: Client,
  failed: ReplyTarget['failed'],
  ticket: number,
  done: (lines: LineOf<Shard>) => void,
): void {
  const masters = sender.shards
  const merge = (replies: readonly Buffer[]): Buffer => {
    done(new Map(masters.map((master, at) => [master, ownLineIn(replies[at] as Buffer)])))
    return NOTHING
  }
  const target = { reply: () => {}, failed }
  sender.sendFrameToAll(client, CLUSTER_NODES, true, merge, target, ticket)
}
