/**
 * PUBSUB CHANNELS, SHARDCHANNELS, NUMSUB and SHARDNUMSUB, asked of every shard: a channel lives on
 * the shard that its name hashes to, keyspace notifications on all.
 */
import { mergeCounts, mergeDistinct } from '../routing/merge-pubsub.ts'
import type { Dispatcher, SpecialCommand } from './dispatcher.ts'
import type { Finish } from './fan-out.ts'

export function pubsubIntrospection(dispatcher: Dispatcher): Record<string, SpecialCommand> {
  const mergedBy = (finish: Finish): SpecialCommand => {
    return (client, request, row) => dispatcher.broadcast(client, request, row, finish)
  }
  return {
    'pubsub|channels': mergedBy(mergeDistinct),
    'pubsub|shardchannels': mergedBy(mergeDistinct),
    'pubsub|numsub': mergedBy(mergeCounts),
    'pubsub|shardnumsub': mergedBy(mergeCounts),
  }
}
