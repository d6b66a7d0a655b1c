/**
 * Where clients come in that see the same: all pools as one Redis, or one pool alone. What belongs to these
 * clients together stays from one configuration to the next.
 */
import type { AddressInfo } from 'node:net'
import type { Config } from '../config/config.ts'
import { KeyWaits } from '../dispatcher/blocking/keys/key-waits.ts'
import type { Client } from '../dispatcher/core/client.ts'
import type { ListedClients } from '../dispatcher/core/dispatcher.ts'
import {
  type SubscriptionBudget,
  SubscriptionRegistries,
} from '../dispatcher/pubsub/subscription-registries.ts'
import { SUBSCRIPTIONS_BYTES_MAX } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { type Seat, shareOf } from './seat.ts'

export interface Entrance {
  /** Undefined: it leads to all pools. */
  readonly pool: string | undefined
  /** Where it is; filled in as the listener starts. */
  readonly addresses: (AddressInfo | string)[]
  /** Those who came in here. */
  readonly clients: ListedClients
  /** Channels of one entrance are not heard at another. */
  readonly subscriptions: SubscriptionRegistries
  /** Of its clients that wait for keys on several shards. */
  readonly waits: KeyWaits
}

/** The first leads to all pools; then one for each pool to which an address leads. */
export function openEntrances(
  { edge: { listen } }: Config,
  clients: ReadonlyMap<number, Client>,
  logger: Logger,
  seat: Seat | undefined,
): readonly [Entrance, ...Entrance[]] {
  const pools = [...new Set(listen.flatMap(({ pool }) => pool ?? []))]
  const bytesMax = shareOf(SUBSCRIPTIONS_BYTES_MAX, seat)
  const budget: SubscriptionBudget = { bytes: 0, bytesMax }
  const open = (pool: string | undefined, own: ListedClients): Entrance => {
    const subscriptions = new SubscriptionRegistries(logger, budget)
    return { pool, addresses: [], clients: own, subscriptions, waits: new KeyWaits() }
  }
  const whole = pools.length === 0 ? clients : clientsAt(undefined, clients)
  return [open(undefined, whole), ...pools.map((pool) => open(pool, clientsAt(pool, clients)))]
}

/** `pool`: of an address that was in the configuration with which they were opened. */
export function entranceTo(pool: string | undefined, entrances: readonly Entrance[]): Entrance {
  return entrances.find((each) => each.pool === pool) as Entrance
}

/** Its clients have gone. */
export function closeEntrance({ subscriptions, waits }: Entrance): void {
  subscriptions.close()
  waits.close()
}

/** Of all clients those who came in at the entrance of this pool. */
function clientsAt(pool: string | undefined, all: ReadonlyMap<number, Client>): ListedClients {
  const isHere = (client: Client): boolean => client.pool === pool
  const values = (): readonly Client[] => [...all.values()].filter(isHere)
  return {
    get size() {
      return values().length
    },
    values,
    get: (id) => {
      const client = all.get(id)
      return client !== undefined && isHere(client) ? client : undefined
    },
  }
}
