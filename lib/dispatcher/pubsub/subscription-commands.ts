/**
 * SUBSCRIBE and its relatives. A channel is subscribed on the shard that its name hashes to, where
 * PUBLISH goes as well; what may be heard on any shard is subscribed on every one.
 */
import { TOPIC_COMMANDS, TOPIC_KINDS, type TopicKind } from '../../resp/pubsub.ts'
import { placeOf } from '../../routing/places.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import {
  ClientSubscriptions,
  type SubscribingClient,
  type SubscriptionSpace,
} from './client-subscriptions.ts'
import { publishCommands } from './publish.ts'
import { EVERY_SHARD, type Place, Subscriptions } from './subscriptions.ts'

/** Each shard notifies of its own keys (notify-keyspace-events). */
const KEYSPACE_CHANNEL = /^__key(space|event)@/

const KEYSPACE_PREFIX_BYTES = '__keyspace@'.length

export interface SubscriptionOptions {
  readonly sender: Sender
  /** The same name always has the same shard: false when each request draws one. */
  readonly namesHaveShards: boolean
}

export function subscriptionCommands(options: SubscriptionOptions): Record<string, SpecialCommand> {
  const { sender, namesHaveShards } = options
  const { topology, shards } = sender
  const shardOf = (name: Buffer) => {
    return shards.indexOf(topology.shardAt(placeOf(topology, name, 0, name.length)))
  }
  const place = namesHaveShards ? placeOn(shardOf) : () => EVERY_SHARD
  const byUser = new Map<string, Subscriptions>()
  const space: SubscriptionSpace = { registryFor: registries(sender, place, byUser), bytes: 0 }
  const commands = publishCommands(sender, () => byUser.values())
  for (const kind of TOPIC_KINDS) {
    const { subscribe, unsubscribe } = TOPIC_COMMANDS[kind]
    commands[subscribe] = (client, request) => of(client, space).subscribe(kind, request)
    commands[unsubscribe] = (client, request) => of(client, space).unsubscribe(kind, request)
  }
  return commands
}

function of(client: Client, space: SubscriptionSpace): ClientSubscriptions {
  client.subscriptions ??= new ClientSubscriptions(client, space)
  return client.subscriptions
}

/** Exported for specs. */
export function placeOn(shardOf: (name: Buffer) => number): Place {
  return (kind: TopicKind, name: Buffer) => {
    if (kind === 'pattern') return EVERY_SHARD
    const start = name.toString('latin1', 0, KEYSPACE_PREFIX_BYTES)
    if (kind === 'channel' && KEYSPACE_CHANNEL.test(start)) return EVERY_SHARD
    return shardOf(name)
  }
}

/** One registry for each user of the shards: what one may hear, another may not. */
function registries(
  sender: Sender,
  place: Place,
  byUser: Map<string, Subscriptions>,
): (client: SubscribingClient) => Subscriptions {
  return ({ lane: { credentials } }) => {
    // Holds a password and must never be shown.
    const user = JSON.stringify([credentials?.username, credentials?.password])
    const known = byUser.get(user)
    if (known !== undefined) return known
    const registry = new Subscriptions({
      shards: sender.shards,
      place,
      credentials,
      onUnused: () => byUser.delete(user),
    })
    byUser.set(user, registry)
    return registry
  }
}
