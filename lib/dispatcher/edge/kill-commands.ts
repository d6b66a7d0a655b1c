/**
 * SCRIPT KILL, FUNCTION KILL, FUNCTION STATS and CLIENT UNPAUSE. A shard that is busy with a script, or
 * paused, answers these, but does not read on from the connection that waits: they go aside.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import type { Failure } from '../../failures.ts'
import { isError } from '../../resp/reply-reader.ts'
import { mergeFunctionStats } from '../../routing/merge/merge-reports.ts'
import { mergeKill } from '../../routing/merge/merge-scripts.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import type { Client } from '../core/client.ts'
import { Collector } from '../core/collector.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { type Merge, merged } from '../core/finish.ts'
import type { Sender } from '../core/sender.ts'

export function killCommands(sender: Sender): Record<string, SpecialCommand> {
  const mergedBy = (merge: Merge): SpecialCommand => {
    return (client, request, row) => askAside(sender, client, request, row.readonly, merge)
  }
  return {
    'client|unpause': (client, request, row) => {
      if (!sender.policy.allowAdmin) sender.dispatch(client, request, row)
      else mergedBy((replies) => mergeReplies('all_succeeded', replies))(client, request, row)
    },
    'script|kill': mergedBy(mergeKill),
    'function|kill': mergedBy(mergeKill),
    'function|stats': (client, request, row) => {
      const { protocol } = client.lane
      askAside(sender, client, request, row.readonly, (replies) => {
        return replies.find(isError) ?? mergeFunctionStats(replies, protocol)
      })
    },
  }
}

/** Asks every shard over a connection made for this alone. */
function askAside(
  sender: Sender,
  client: Client,
  request: ScannedRequest,
  isReadonly: boolean,
  merge: Merge,
): void {
  if (!sender.areAllUp(client, request)) return
  const { session, lane } = client
  const connections = sender.shards.map((shard) => shard.openAside(lane))
  const target = {
    reply: (ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void => {
      session.reply(ticket, bytes, start, end, last)
      for (const connection of connections) connection.close()
    },
    failed: (ticket: number, failure: Failure): void => {
      session.failed(ticket, failure)
      for (const connection of connections) connection.close()
    },
  }
  const finish = merged(target, session.open(), isReadonly, merge)
  const collector = new Collector(connections.length, finish)
  const { bytes, frameStart, frameEnd } = request
  for (const [part, connection] of connections.entries()) {
    connection.send(collector, part, bytes, frameStart, frameEnd, false)
  }
}
