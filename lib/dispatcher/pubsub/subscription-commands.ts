/** SUBSCRIBE and its relatives. */
import { TOPIC_COMMANDS, TOPIC_KINDS } from '../../resp/pubsub.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { ClientSubscriptions } from './client-subscriptions.ts'
import type { SubscriptionRegistries } from './subscription-registries.ts'

export function subscriptionCommands(
  registries: SubscriptionRegistries,
): Record<string, SpecialCommand> {
  const commands: Record<string, SpecialCommand> = {}
  const of = (client: Client): ClientSubscriptions => {
    client.subscriptions ??= new ClientSubscriptions(client, registries)
    return client.subscriptions
  }
  for (const kind of TOPIC_KINDS) {
    const { subscribe, unsubscribe } = TOPIC_COMMANDS[kind]
    commands[subscribe] = (client, request) => of(client).subscribe(kind, request)
    commands[unsubscribe] = (client, request) => of(client).unsubscribe(kind, request)
  }
  return commands
}
