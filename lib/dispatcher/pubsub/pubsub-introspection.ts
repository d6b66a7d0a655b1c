/**
 * PUBSUB CHANNELS, SHARDCHANNELS, NUMSUB and SHARDNUMSUB, asked of every shard. All our clients are
 * one subscriber to each shard, so the counts are put right here.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import type { TopicKind } from '../../resp/pubsub.ts'
import { mergeCounts, mergeDistinct, type OwnCounts } from '../../routing/merge/merge-pubsub.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argumentText } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import type { SubscriptionRegistries } from './subscription-registries.ts'

export function pubsubIntrospection(
  sender: Sender,
  registries: SubscriptionRegistries,
): Record<string, SpecialCommand> {
  const channels: SpecialCommand = (client, request, row) => {
    sender.sendToAll(client, request, row, mergeDistinct)
  }
  const counts = (kind: TopicKind): SpecialCommand => {
    return (client, request, row) => {
      const names = namesIn(request)
      const servers = sender.shards.map((shard) => registries.serverFor(shard))
      sender.sendToAll(client, request, row, (replies) => {
        return mergeCounts(replies, (place) => ownCounts(registries, kind, names[place], servers))
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

function ownCounts(
  registries: SubscriptionRegistries,
  kind: TopicKind,
  name = '',
  servers: readonly Shard[],
): OwnCounts {
  const own = { clients: 0, byShard: servers.map(() => 0) }
  for (const registry of registries.all) {
    const subscription = registry.find(kind, name)
    if (subscription === undefined) continue
    own.clients += subscription.receivers.size
    for (const [index, server] of servers.entries()) {
      if (registry.isOn(subscription, server)) own.byShard[index] = (own.byShard[index] ?? 0) + 1
    }
  }
  return own
}
