/**
 * One client's XREADGROUP of streams on several shards, without BLOCK. Before anything is taken all streams are asked
 * whether they have the group: Redis takes nothing when one has not.
 */
import type { ScannedRequest } from '../../../downstream/session.ts'
import { UNEXPECTED_REPLIES } from '../../../failures.ts'
import { isError } from '../../../resp/reply-reader.ts'
import type { PlaceRead } from '../../../routing/reads/cross-shard-read.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import { severalKeys } from '../../reads/cross-shard.ts'
import { askPlaces, failureOf, repliesOf } from './ask-places.ts'
import { readNothing, readNow } from './read-request.ts'

/** The request was located last, on several places. */
export function readGroupNow(sender: Sender, client: Client, request: ScannedRequest): void {
  if (!sender.admitsToGroups(client, request)) return
  const { session } = client
  const streams = severalKeys(sender, client, request)
  const ticket = session.open()
  // Its reads are sent later than what the client sends behind it.
  session.hold()
  const answer = (reply: Buffer): void => {
    session.reply(ticket, reply, 0, reply.length, true)
    session.release()
  }
  const ask = (reads: readonly PlaceRead[], heard: (replies: Buffer[]) => void): void => {
    const send = sender.frameToPlace.bind(sender, client)
    askPlaces(reads, session, send, (collected) => {
      const { error } = collected
      if (error === undefined) heard(repliesOf(collected))
      else {
        session.failed(ticket, failureOf(error, collected))
        session.release()
      }
    })
  }
  ask(readNothing(streams), (known) => {
    const refusal = known.find(isError)
    if (refusal !== undefined) {
      answer(refusal)
      return
    }
    const { reads, finish } = readNow(streams)
    ask(reads, (replies) => {
      const reply = finish(replies)
      if (reply !== undefined) answer(reply)
      else {
        session.failed(ticket, UNEXPECTED_REPLIES)
        session.release()
      }
    })
  })
}
