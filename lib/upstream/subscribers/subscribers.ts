/** The connections to one shard that subscriptions share, one for each set of credentials. */
import type { ShardConnection } from '../connection/connection.ts'
import { Subscriber, type SubscriberConnectionOptions, type SubscriberOwner } from './subscriber.ts'

export class Subscribers {
  readonly #requestTimeoutMs: number
  readonly #open = new Set<Subscriber>()

  constructor(requestTimeoutMs: number) {
    this.#requestTimeoutMs = requestTimeoutMs
  }

  open(
    connect: (options: SubscriberConnectionOptions) => ShardConnection,
    owner: SubscriberOwner,
  ): Subscriber {
    const subscriber = new Subscriber({
      requestTimeoutMs: this.#requestTimeoutMs,
      open: connect,
      owner,
      onClosed: () => this.#open.delete(subscriber),
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
    for (const subscriber of [...this.#open]) {
      if (left.has(subscriber.connection)) subscriber.leave()
    }
  }

  /** The shard has another server: all are closed, and clients hear of it. */
  relocate(): void {
    for (const subscriber of [...this.#open]) subscriber.leave()
  }

  /** There are other credentials. */
  authenticate(): void {
    for (const { connection } of this.#open) connection.authenticate()
  }

  close(): void {
    for (const subscriber of [...this.#open]) subscriber.close()
  }
}
