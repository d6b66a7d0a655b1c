/**
 * All subscriptions of all clients. They outlive reloads; each configuration tells the registries its
 * shards, and which shard is the home of each topic.
 */
import { SUBSCRIPTIONS_BYTES_MAX } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import type { Credentials } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import { everywhere, type HomeOf, type TopicPlaces } from './home.ts'
import { type SubscribedShards, Subscriptions } from './subscriptions.ts'

export interface SubscriptionBudget {
  /** Taken so far. */
  bytes: number
  readonly bytesMax: number
}

const WHOLE_BUDGET: SubscriptionBudget = { bytes: 0, bytesMax: SUBSCRIPTIONS_BYTES_MAX }

export class SubscriptionRegistries implements SubscribedShards {
  /** What subscriptions take. */
  readonly budget: SubscriptionBudget
  servers: readonly Shard[] = []
  homeOf: HomeOf = () => undefined
  places: TopicPlaces = everywhere(this.homeOf)
  /** The first shard on each shard's server. */
  #serverOf: ReadonlyMap<Shard, Shard> = new Map()
  /** By a text that holds a password and must never be shown. */
  readonly #byUser = new Map<string, Subscriptions>()
  readonly #logger: Logger

  /** `budget`: of all registries of a process together. */
  constructor(logger: Logger, budget: SubscriptionBudget = { ...WHOLE_BUDGET }) {
    this.#logger = logger
    this.budget = budget
  }

  /** From now on these are the shards, and these the places of topics. */
  follow(shards: readonly Shard[], places: TopicPlaces): void {
    const { homeOf } = places
    this.places = places
    const byId = new Map<string, Shard>()
    for (const shard of shards) {
      if (!byId.has(shard.serverId)) byId.set(shard.serverId, shard)
    }
    this.servers = [...byId.values()]
    this.#serverOf = new Map(
      shards.map((shard) => [shard, byId.get(shard.serverId) as Shard] as const),
    )
    this.homeOf = (kind, name) => {
      const home = homeOf(kind, name)
      return home && this.serverFor(home)
    }
    for (const registry of this.#byUser.values()) registry.follow()
  }

  /** Where the shard's topics are subscribed: several shards may be databases of one server. */
  serverFor(shard: Shard): Shard {
    return this.#serverOf.get(shard) ?? shard
  }

  /** One registry for each user of the shards: what one may hear, another may not. */
  registryFor(credentials: Credentials | undefined): Subscriptions {
    const user = JSON.stringify([credentials?.username, credentials?.password])
    const known = this.#byUser.get(user)
    if (known !== undefined) return known
    const registry = new Subscriptions({
      shards: this,
      credentials,
      logger: this.#logger,
      onUnused: () => this.#byUser.delete(user),
    })
    this.#byUser.set(user, registry)
    return registry
  }

  /** Any channel is subscribed that belongs to the owner of its slot. */
  get hasShardChannels(): boolean {
    return [...this.#byUser.values()].some((registry) => registry.hasShardChannels)
  }

  /** Those in use: few, one for each user of the shards. */
  get all(): Iterable<Subscriptions> {
    return this.#byUser.values()
  }

  /** Closes all connections. */
  close(): void {
    for (const registry of this.#byUser.values()) registry.close()
    this.#byUser.clear()
  }
}
