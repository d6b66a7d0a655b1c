/** Makes the connections to one shard, each as its use wants it. */
import type { ShardFailures } from '../failures.ts'
import { ShardConnection } from './connection/connection.ts'
import type { ConnectionSigns } from './connection/connection-options.ts'
import { handshake } from './connection/handshake.ts'
import type { Credentials, Lane } from './lane.ts'
import type { Server } from './server.ts'
import type { ShardOptions } from './shard-options.ts'
import type { SubscriberConnectionOptions } from './subscriber.ts'

export interface ConnectionUse {
  /** For one client at a time; closed for ever when it breaks. */
  readonly leased?: boolean
  /** Asks for the number by which the shard knows it. */
  readonly clientId?: boolean
  readonly signs?: ConnectionSigns
  readonly onStateChange: (connection: ShardConnection) => void
  /** Of a shared one. */
  readonly onFailure?: () => void
}

export class Opener {
  readonly #options: ShardOptions
  readonly #errors: ShardFailures
  readonly #server: Server

  constructor(options: ShardOptions, errors: ShardFailures, server: Server) {
    this.#options = options
    this.#errors = errors
    this.#server = server
  }

  /** One that is not connected yet. */
  open(lane: Lane, use: ConnectionUse): ShardConnection {
    const { leased = false, clientId = false, signs, onStateChange, onFailure } = use
    const { requestTimeoutMs, lookout, name } = this.#options
    const credentials = lane.credentials ?? this.#options.credentials
    const connection = new ShardConnection({
      ...this.#common,
      handshake: handshake({
        protocol: lane.protocol,
        database: lane.database ?? this.#options.database,
        username: credentials?.username,
        password: credentials?.password,
        clientId,
      }),
      errors: this.#errors,
      requestTimeoutMs,
      lookout,
      shard: name,
      reconnect: !leased,
      signs,
      onStateChange: () => onStateChange(connection),
      onFailure,
    })
    return connection
  }

  /** `credentials`: undefined for the configured ones. */
  openForSubscriber(
    credentials: Credentials | undefined,
    signs: ConnectionSigns,
    options: SubscriberConnectionOptions,
  ): ShardConnection {
    const { username, password } = credentials ?? this.#options.credentials ?? {}
    return new ShardConnection({
      ...this.#common,
      // Messages do not depend on the database.
      handshake: handshake({ protocol: 2, database: 0, username, password, clientId: false }),
      // What breaks with the connection is no longer subscribed: nothing may have been executed.
      errors: { ...this.#errors, lost: this.#errors.unavailable },
      reconnect: true,
      signs,
      ...options,
    })
  }

  /** What all have in common. */
  get #common() {
    const { connectTimeoutMs, turn, stats, latencies } = this.#options
    return { server: this.#server, connectTimeoutMs, turn, stats, latencies }
  }
}
