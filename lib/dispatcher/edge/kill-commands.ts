/**
 * SCRIPT KILL, FUNCTION KILL, FUNCTION STATS and CLIENT UNPAUSE. A shard that is busy with a script, or
 * paused, answers these, but does not read on from the connection that waits: they go aside.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import { isError } from '../../resp/reply-reader.ts'
import { mergeFunctionStats } from '../../routing/merge/merge-reports.ts'
import { mergeKill } from '../../routing/merge/merge-scripts.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import type { Client } from '../core/client.ts'
import type { Dispatcher, SpecialCommand } from '../core/dispatcher.ts'
import { FanOut, type Finish } from '../core/fan-out.ts'

export function killCommands(dispatcher: Dispatcher): Record<string, SpecialCommand> {
  const mergedBy = (finish: Finish): SpecialCommand => {
    return (client, request, row) => askAside(dispatcher, client, request, row.readonly, finish)
  }
  return {
    'client|unpause': (client, request, row) => {
      if (!dispatcher.allowAdmin) dispatcher.route(client, request, row)
      else mergedBy((replies) => mergeReplies('all_succeeded', replies))(client, request, row)
    },
    'script|kill': mergedBy(mergeKill),
    'function|kill': mergedBy(mergeKill),
    'function|stats': (client, request, row) => {
      const { protocol } = client.lane
      askAside(dispatcher, client, request, row.readonly, (replies) => {
        return replies.find(isError) ?? mergeFunctionStats(replies, protocol)
      })
    },
  }
}

/** Asks every shard over a connection made for this alone. */
function askAside(
  dispatcher: Dispatcher,
  client: Client,
  request: ScannedRequest,
  isReadonly: boolean,
  finish: Finish,
): void {
  if (dispatcher.refuseUnlessAllUp(client)) return
  const { session, lane } = client
  const connections = dispatcher.shards.map((shard) => shard.openAside(lane))
  const target = {
    reply: (tag: number, bytes: Buffer, start: number, end: number, last: boolean): void => {
      session.reply(tag, bytes, start, end, last)
      for (const connection of connections) connection.close()
    },
  }
  const fanOut = new FanOut(target, session.open(), connections.length, isReadonly, finish)
  const { bytes, frameStart, frameEnd } = request
  for (const [shard, connection] of connections.entries()) {
    connection.send(fanOut, shard, bytes, frameStart, frameEnd, false)
  }
}
