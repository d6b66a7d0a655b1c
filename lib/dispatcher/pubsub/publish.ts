/**
 * PUBLISH and SPUBLISH answer how many clients have got the message. To a shard all our clients are
 * one subscriber, so those whom it does not count are added here.
 */
import { integerFrame } from '../../resp/encode.ts'
import { integerOf } from '../../resp/reply-reader.ts'
import { argumentText } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { globMatches } from './glob.ts'
import type { Subscriptions } from './subscriptions.ts'

/** The registries that are in use: few, one for each user of the shards. */
export type Registries = () => Iterable<Subscriptions>

export function publishCommands(
  sender: Sender,
  registries: Registries,
): Record<string, SpecialCommand> {
  const command = (uncounted: (registry: Subscriptions, channel: string) => number) => {
    const special: SpecialCommand = (client, request, row) => {
      if (!isAnyInUse(registries())) {
        sender.dispatch(client, request, row)
        return
      }
      const channel = argumentText(request, 1)
      const shard = sender.shardFor(request, row) ?? sender.anyShard()
      sender.sendAnd(client, request, row, shard, ([reply]) => {
        let sum = 0
        for (const registry of registries()) sum += uncounted(registry, channel)
        return corrected(reply as Buffer, sum)
      })
    }
    return special
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

function uncountedOfChannel(registry: Subscriptions, channel: string): number {
  let sum = registry.find('channel', channel)?.uncountedByOne ?? 0
  for (const pattern of registry.patterns()) {
    const uncounted = pattern.uncountedByOne
    if (uncounted !== 0 && globMatches(pattern.key, channel)) sum += uncounted
  }
  return sum
}

function uncountedOfShardChannel(registry: Subscriptions, channel: string): number {
  return registry.find('shardChannel', channel)?.uncountedByOne ?? 0
}
