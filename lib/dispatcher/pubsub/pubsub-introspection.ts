/**
 * PUBSUB CHANNELS, SHARDCHANNELS, NUMSUB and SHARDNUMSUB, asked of every shard: a channel lives on
 * the shard that its name hashes to, keyspace notifications on all. All our clients are one
 * subscriber to a shard, so the counts are put right here.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import type { TopicKind } from '../../resp/pubsub.ts'
import { mergeCounts, mergeDistinct } from '../../routing/merge/merge-pubsub.ts'
import { argumentText } from '../core/arguments.ts'
import type { Clients, SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import type { Subscriptions } from './subscriptions.ts'

export function pubsubIntrospection(
  sender: Sender,
  clients: Clients,
): Record<string, SpecialCommand> {
  const channels: SpecialCommand = (client, request, row) => {
    sender.sendToAll(client, request, row, mergeDistinct)
  }
  const counts = (kind: TopicKind): SpecialCommand => {
    return (client, request, row) => {
      const names = namesIn(request)
      sender.sendToAll(client, request, row, (replies) => {
        const registries = registriesOf(clients)
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
function registriesOf(clients: Clients): ReadonlySet<Subscriptions> {
  const registries = new Set<Subscriptions>()
  for (const { subscriptions } of clients.values()) {
    if (subscriptions?.inUse) registries.add(subscriptions.registry)
  }
  return registries
}

function uncounted(registries: ReadonlySet<Subscriptions>, kind: TopicKind, name: string): number {
  let sum = 0
  for (const registry of registries) sum += registry.find(kind, name)?.uncounted ?? 0
  return sum
}
