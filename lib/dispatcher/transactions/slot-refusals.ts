/**
 * A redirect of a cluster's node is for the ambassador: no client of a transaction sees one. It is
 * followed for the next attempt, which the client makes.
 */
import type { Failure } from '../../failures.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { OK } from '../../resp/encode.ts'
import { isError } from '../../resp/reply-reader.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import { Collector } from '../core/collector.ts'
import type { DeclinedIn } from '../core/lease-sink.ts'

/** In place of the node's refusal the client hears that its request was declined. */
export function declinedBy(node: Shard, places: MovingPlaces, slot: number): DeclinedIn {
  return (bytes, start, end) => {
    const refusal = places.refusalIn(bytes, start, end, slot)
    if (refusal === undefined) return undefined
    places.follow(refusal, slot, node, undefined)
    return node.errors.declined
  }
}

/**
 * For WATCH. A node that refuses leaves us without a watch, and EXEC without effect: the client, which
 * hears OK, tries again. `broken` says so.
 */
export function watchReply(
  client: Client,
  node: Shard,
  places: MovingPlaces,
  slot: number,
  broken: () => void,
): ReplySink {
  const { session } = client
  const ticket = session.open()
  return new Collector(1, (collected) => {
    const reply = collected.frame(0)
    const refusal = reply && isError(reply) && places.refusalIn(reply, 0, reply.length, slot)
    if (refusal) places.follow(refusal, slot, node, undefined)
    if (refusal || reply === undefined) broken()
    if (reply === undefined) session.failed(ticket, collected.error as Failure)
    else session.settle(ticket, refusal ? OK : Buffer.from(reply))
  })
}
