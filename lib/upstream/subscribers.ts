/** The connections to one shard that subscriptions share, one for each set of credentials. */
import type { Logger } from '../logger.ts'
import type { ShardConnection } from './connection/connection.ts'
import {
  Subscriber,
  type SubscriberConnectionOptions,
  type SubscriberEvents,
} from './subscriber.ts'

export interface SubscribersOptions {
  readonly shard: string
  readonly requestTimeoutMs: number
  readonly logger: Logger
}

export class Subscribers {
  readonly #options: SubscribersOptions
  readonly #open = new Set<Subscriber>()

  constructor(options: SubscribersOptions) {
    this.#options = options
  }

  open(
    connect: (options: SubscriberConnectionOptions) => ShardConnection,
    events: SubscriberEvents,
  ): Subscriber {
    const { shard, requestTimeoutMs, logger } = this.#options
    const subscriber = new Subscriber({
      requestTimeoutMs,
      open: connect,
      events: {
        message: events.message,
        closed: () => {
          this.#open.delete(subscriber)
          const { reason, topics, left } = subscriber
          if (topics > 0 && !left) logger.warn({ shard, reason, topics }, 'subscriber lost')
          events.closed()
        },
      },
    })
    this.#open.add(subscriber)
    return subscriber
  }

  get connections(): readonly ShardConnection[] {
    return [...this.#open].map(({ connection }) => connection)
  }

  /** Topics subscribed, once each however many clients have them. */
  get topics(): number {
    return [...this.#open].reduce((sum, subscriber) => sum + subscriber.topics, 0)
  }

  /** The shard has moved, and `left` are where it was: they are closed, and clients hear of it. */
  leave(left: ReadonlySet<ShardConnection>): void {
    for (const subscriber of this.#open) if (left.has(subscriber.connection)) subscriber.leave()
  }

  /** The shard has another server: all are closed, and clients hear of it. */
  relocate(): void {
    for (const subscriber of this.#open) subscriber.leave()
  }

  close(): void {
    for (const subscriber of this.#open) subscriber.close()
  }
}
