/** Makes the connections to one shard, each as its use wants it. */
import type { ShardFailures } from '../failures.ts'
import { ShardConnection } from './connection/connection.ts'
import type { Attempt, ConnectionSigns } from './connection/connection-options.ts'
import { type HandshakeOptions, handshake } from './connection/handshake.ts'
import type { Credentials, Lane } from './lane.ts'
import type { Server } from './server.ts'
import type { ShardOptions, ShardSettings } from './shard-options.ts'
import type { SubscriberConnectionOptions } from './subscribers/subscriber.ts'

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
  #settings: ShardSettings

  constructor(options: ShardOptions, errors: ShardFailures, server: Server) {
    this.#options = options
    this.#errors = errors
    this.#server = server
    this.#settings = options.settings
  }

  /** From now on all connections go by these: those that are there already, when they connect again. */
  configure(settings: ShardSettings): void {
    this.#settings = settings
  }

  /** One that is not connected yet. */
  open(lane: Lane, use: ConnectionUse): ShardConnection {
    const { leased = false, clientId = false, signs, onStateChange, onFailure } = use
    const { lookout, name, database } = this.#options
    const state = { protocol: lane.protocol, database: lane.database ?? database, clientId }
    const connection = new ShardConnection({
      ...this.#common,
      attempt: () => this.#attempt(lane.credentials, state),
      errors: this.#errors,
      requestTimeoutMs: this.#settings.requestTimeoutMs,
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
    // Messages do not depend on the database.
    const state = { protocol: 2, database: 0, clientId: false } as const
    return new ShardConnection({
      ...this.#common,
      attempt: () => this.#attempt(credentials, state),
      // What breaks with the connection is no longer subscribed: nothing may have been executed.
      errors: { ...this.#errors, lost: this.#errors.unavailable },
      reconnect: true,
      signs,
      ...options,
    })
  }

  #attempt(
    credentials: Credentials | undefined,
    state: Omit<HandshakeOptions, 'username' | 'password'>,
  ): Attempt {
    const { username, password } = credentials ?? this.#settings.credentials ?? {}
    return {
      handshake: handshake({ ...state, username, password }),
      timeoutMs: this.#settings.connectTimeoutMs,
    }
  }

  /** What all have in common. */
  get #common() {
    const { turn, stats, inHand } = this.#options
    return { server: this.#server, turn, stats, inHand }
  }
}
