/** Makes the connections to one shard, each as its use wants it. */
import type { ShardFailures } from '../failures.ts'
import { ShardConnection } from './connection/connection.ts'
import type { Attempt, ConnectionSigns } from './connection/connection-options.ts'
import { type HandshakeOptions, handshake, loginRequest } from './connection/making/handshake.ts'
import type { Credentials, Lane } from './lane.ts'
import { Logins } from './logins.ts'
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
  readonly #logins: Logins

  constructor(options: ShardOptions, errors: ShardFailures, server: Server) {
    this.#options = options
    this.#logins = new Logins(options, () => this.#settings.expiring)
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
    // A subscriber that speaks RESP2 cannot log in again. Messages do not depend on the database.
    const takesPushes = credentials === undefined && this.#settings.expiring !== undefined
    const protocol = takesPushes ? 3 : 2
    const state = { protocol, database: 0, clientId: false } as const
    return new ShardConnection({
      ...this.#common,
      attempt: () => {
        const attempt = this.#attempt(credentials, state)
        return takesPushes ? attempt : { ...attempt, login: undefined }
      },
      takesPushes,
      // What breaks with the connection is no longer subscribed: nothing may have been executed.
      errors: { ...this.#errors, lost: this.#errors.unavailable },
      reconnect: true,
      signs,
      ...options,
    })
  }

  #attempt(
    credentials: Credentials | undefined,
    state: Omit<HandshakeOptions, 'redirect' | 'readOnly' | 'username' | 'password'>,
  ): Attempt {
    const { expiring, connectTimeoutMs: timeoutMs } = this.#settings
    const ours = expiring === undefined ? this.#settings.credentials : expiring.current
    if (credentials === undefined && ours === undefined && expiring !== undefined) {
      return { handshake: undefined, timeoutMs }
    }
    const { username, password } = credentials ?? ours ?? {}
    // Those of a client are the client's own matter.
    const login = credentials === undefined && ours !== undefined ? loginRequest(ours) : undefined
    const redirect = this.#server.mayMove === true
    const { readOnly } = this.#options
    const wanted = { ...state, redirect, readOnly, username, password }
    return { handshake: handshake(wanted), timeoutMs, login }
  }

  /** What all have in common. */
  get #common() {
    const { turn, stats, inHand } = this.#options
    const onLogin = this.#logins.heard
    return { server: this.#server, turn, stats, inHand, onLogin }
  }
}
