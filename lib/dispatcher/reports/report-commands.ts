/** Commands by which the shards report about themselves: all are asked, one report is made. */
import { wrongSubcommandArity } from '../../commands/errors.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { parseInteger } from '../../resp/bytes.ts'
import { isError } from '../../resp/reply-reader.ts'
import {
  joinTexts,
  type MergeReports,
  mergeLatencyHistogram,
  mergeLatencyHistory,
  mergeLatencyLatest,
  mergeMemoryStats,
  mergeSlowlogs,
} from '../../routing/merge/merge-reports.ts'
import { argument } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'

const BAD_COUNT = errorFrame('ERR count should be greater than or equal to -1')

/** Entries that SLOWLOG GET gives when not told how many. */
const SLOWLOG_COUNT = 10

export function reportCommands(sender: Sender): Record<string, SpecialCommand> {
  const merged = (merge: MergeReports): SpecialCommand => {
    return (client, request, row) => ask(sender, client, request, row, merge)
  }
  const names = () => sender.shards.map((shard) => shard.name)
  const texts = merged((replies, protocol) => joinTexts(replies, names(), protocol))
  return {
    'memory|doctor': texts,
    'memory|malloc-stats': texts,
    'memory|stats': merged(mergeMemoryStats),
    'latency|doctor': texts,
    'latency|graph': (client, request, row) => graph(sender, client, request, row),
    'latency|latest': merged(mergeLatencyLatest),
    'latency|history': merged(mergeLatencyHistory),
    'latency|histogram': merged(mergeLatencyHistogram),
    'slowlog|get': (client, request, row) => slowlogGet(sender, client, request, row),
  }
}

/** The first error wins; with one shard there is nothing to merge. */
function ask(
  sender: Sender,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
  merge: MergeReports,
): void {
  const { protocol } = client.lane
  sender.sendToAll(client, request, row, (replies) => {
    if (replies.length === 1) return replies[0]
    return replies.find(isError) ?? merge(replies, protocol)
  })
}

/** A shard on which the event never happened answers with an error, which only counts if all do. */
function graph(sender: Sender, client: Client, request: ScannedRequest, row: CommandRow): void {
  const { protocol } = client.lane
  const { shards } = sender
  sender.sendToAll(client, request, row, (replies) => {
    const graphs = [...replies.keys()].filter((i) => !isError(replies[i] as Buffer))
    if (replies.length === 1 || graphs.length === 0) return replies[0]
    return joinTexts(
      graphs.map((i) => replies[i] as Buffer),
      graphs.map((i) => shards[i]?.name ?? ''),
      protocol,
    )
  })
}

function slowlogGet(
  sender: Sender,
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
): void {
  if (request.argc > 3) {
    client.session.answer(wrongSubcommandArity(request))
    return
  }
  let count: number | undefined = SLOWLOG_COUNT
  if (request.argc > 2) {
    const text = argument(request, 2)
    count = parseInteger(text, 0, text.length)
  }
  if (count === undefined || count < -1) {
    client.session.answer(BAD_COUNT)
    return
  }
  const most = count
  ask(sender, client, request, row, (replies) => mergeSlowlogs(replies, most))
}
