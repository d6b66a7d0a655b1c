/**
 * PUBLISH and SPUBLISH answer how many clients have got the message. To a shard all our clients are
 * one subscriber, so the others are added here.
 */
import { integerFrame } from '../../resp/encode.ts'
import { integerOf } from '../../resp/reply-reader.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argument, argumentText } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Merge } from '../core/finish.ts'
import type { Sender } from '../core/sender.ts'
import { globMatches } from './glob.ts'
import type { Subscription } from './subscription.ts'
import type { SubscriptionRegistries } from './subscription-registries.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Clients of a registry that hear messages of this server, without the one that it counts. */
type Uncounted = (registry: Subscriptions, channel: string, server: Shard) => number

export function publishCommands(
  sender: Sender,
  registries: SubscriptionRegistries,
): Record<string, SpecialCommand> {
  const command = (uncounted: Uncounted): SpecialCommand => {
    return (client, request, row) => {
      if (!isAnyInUse(registries.all)) {
        sender.dispatch(client, request, row)
        return
      }
      const channel = argumentText(request, 1)
      sender.locate(request, row)
      const isHeardByAll = row.name === 'publish'
      const main = isHeardByAll ? registries.places.publishedAt(argument(request, 1)) : undefined
      const server = main ?? registries.serverFor(sender.shardOfPlan())
      const merge: Merge = ([reply]) => {
        let sum = 0
        for (const registry of registries.all) sum += uncounted(registry, channel, server)
        return corrected(reply as Buffer, sum)
      }
      // In a cluster all nodes hear of it; the one with our subscribers counts them.
      if (main !== undefined) sender.sendToShardAnd(client, request, row, main, merge)
      else sender.sendAnd(client, request, row, sender.plan.place, merge)
    }
  }
  return { publish: command(uncountedOfChannel), spublish: command(uncountedOfShardChannel) }
}

function isAnyInUse(registries: Iterable<Subscriptions>): boolean {
  for (const registry of registries) if (registry.size > 0) return true
  return false
}

/** An error stays as it is. */
function corrected(reply: Buffer, uncounted: number): Buffer {
  const count = integerOf(reply)
  return count === undefined || uncounted === 0 ? reply : integerFrame(count + BigInt(uncounted))
}

const uncountedOfChannel: Uncounted = (registry, channel, server) => {
  let sum = uncountedOf(registry, registry.find('channel', channel), server)
  for (const pattern of registry.patterns()) {
    if (globMatches(pattern.key, channel)) sum += uncountedOf(registry, pattern, server)
  }
  return sum
}

const uncountedOfShardChannel: Uncounted = (registry, channel, server) => {
  return uncountedOf(registry, registry.find('shardChannel', channel), server)
}

function uncountedOf(
  registry: Subscriptions,
  subscription: Subscription | undefined,
  server: Shard,
): number {
  if (subscription === undefined || subscription.receivers.size === 1) return 0
  return registry.isOn(subscription, server) ? subscription.receivers.size - 1 : 0
}
