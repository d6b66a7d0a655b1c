/**
 * PUBSUB CHANNELS, SHARDCHANNELS, NUMSUB and SHARDNUMSUB, asked of every shard: a channel lives on
 * the shard that its name hashes to, keyspace notifications on all. All our clients are one
 * subscriber to a shard, so the counts are put right here.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import type { TopicKind } from '../../resp/pubsub.ts'
import { mergeCounts, mergeDistinct } from '../../routing/merge/merge-pubsub.ts'
import { argumentText } from '../core/arguments.ts'
import type { Dispatcher, SpecialCommand } from '../core/dispatcher.ts'
import type { Subscriptions } from './subscriptions.ts'

export function pubsubIntrospection(dispatcher: Dispatcher): Record<string, SpecialCommand> {
  const channels: SpecialCommand = (client, request, row) => {
    dispatcher.broadcast(client, request, row, mergeDistinct)
  }
  const counts = (kind: TopicKind): SpecialCommand => {
    return (client, request, row) => {
      const names = namesIn(request)
      dispatcher.broadcast(client, request, row, (replies) => {
        const registries = registriesOf(dispatcher)
        return mergeCounts(replies, (place) => uncounted(registries, kind, names[place] ?? ''))
      })
    }
  }
  return {
    'pubsub|channels': channels,
    'pubsub|shardchannels': channels,
    'pubsub|numsub': counts('channel'),
    'pubsub|shardnumsub': counts('shardChannel'),
  }
}

function namesIn(request: ScannedRequest): string[] {
  return Array.from({ length: request.argc - 2 }, (_, i) => argumentText(request, i + 2))
}

/** Few: one for each user of the shards. */
function registriesOf(dispatcher: Dispatcher): ReadonlySet<Subscriptions> {
  const registries = new Set<Subscriptions>()
  for (const { subscriptions } of dispatcher.clients.values()) {
    if (subscriptions?.inUse) registries.add(subscriptions.registry)
  }
  return registries
}

function uncounted(registries: ReadonlySet<Subscriptions>, kind: TopicKind, name: string): number {
  let sum = 0
  for (const registry of registries) sum += registry.find(kind, name)?.uncounted ?? 0
  return sum
}
