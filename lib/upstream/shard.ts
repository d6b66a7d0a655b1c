/** One Redis behind us: its connections in every lane, and whether it can be reached. */

import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { type Failure, type ShardFailures, shardFailures } from '../failures.ts'
import { LARGE_BYTES } from '../io/outbox.ts'
import { RESOLVE_AGAIN_MS } from '../limits.ts'
import type { ShardStats } from '../stats/shard-stats.ts'
import type { Backend, Fragment, Frame } from './backend.ts'
import { ShardConnection } from './connection/connection.ts'
import { handshake } from './connection/handshake.ts'
import { ConnectionTrouble } from './connection-trouble.ts'
import { encodeFragment } from './fragment.ts'
import type { Credentials, Lane } from './lane.ts'
import { LeasePool } from './lease-pool.ts'
import type { ReplySink } from './reply-sink.ts'
import type { ShardOptions } from './shard-options.ts'
import {
  Subscriber,
  type SubscriberConnectionOptions,
  type SubscriberEvents,
} from './subscriber.ts'

export interface ShardObserver {
  /** The shard is first known to be up or down, or that has changed. */
  readonly changed?: (up: boolean) => void
  /**
   * A shared connection has failed or a request timed out. `answered`: the shard has said something
   * since the last time.
   */
  readonly failed?: (answered: boolean) => void
}

export class Shard implements Backend {
  readonly name: string
  readonly errors: ShardFailures
  readonly #options: ShardOptions
  /** Shared connections by lane id. */
  readonly #shared: (readonly ShardConnection[] | undefined)[] = []
  readonly #leases: (LeasePool | undefined)[] = []
  readonly #subscribers = new Set<Subscriber>()
  /** Connections that a caller has to itself and closes. */
  readonly #aside = new Set<ShardConnection>()
  /** The first lane's: they tell whether the shard is up. */
  readonly #first: readonly ShardConnection[]
  #up: boolean | undefined
  #closed = false
  #resolveTimer: NodeJS.Timeout | undefined
  readonly #observers = new Set<ShardObserver>()
  #failedAtMs = 0
  readonly #trouble: ConnectionTrouble

  constructor(options: ShardOptions, firstLane: Lane) {
    this.name = options.name
    this.errors = shardFailures(options.name)
    this.#options = options
    this.#trouble = new ConnectionTrouble({
      shard: options.name,
      isUp: () => this.up,
      now: () => options.turn.now(),
      logger: options.logger,
    })
    this.#first = this.#openShared(firstLane, () => this.#onStateChange())
    this.#resolveAgain()
  }

  /**
   * The shared connection of a lane for a session: always the same one, so that the session's
   * commands reach the shard in the order in which it sent them.
   */
  connectionFor(lane: Lane, sessionId: number): ShardConnection {
    const connections = this.#shared[lane.id] ?? this.#openShared(lane)
    return connections[sessionId % connections.length] as ShardConnection
  }

  /** Backend */
  send(sessionId: number, lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    const { bytes, frameStart, frameEnd } = frame
    // What is short is cheaper to copy than to write by itself.
    const owned = frame.owned && frameEnd - frameStart >= LARGE_BYTES
    this.connectionFor(lane, sessionId).send(sink, ticket, bytes, frameStart, frameEnd, owned)
  }

  /** Backend */
  sendFragment(
    sessionId: number,
    lane: Lane,
    fragment: Fragment,
    sink: ReplySink,
    ticket: number,
  ): void {
    const outbox = this.connectionFor(lane, sessionId).enter(sink, ticket)
    if (outbox !== undefined) encodeFragment(outbox, fragment)
  }

  /** Whether a request of the session would fail at once, unsent. */
  isAway(lane: Lane, sessionId: number): boolean {
    return this.connectionFor(lane, sessionId).state === 'waiting'
  }

  leases(lane: Lane): LeasePool {
    const known = this.#leases[lane.id]
    if (known !== undefined) return known
    const pool = new LeasePool((onStateChange) => {
      return this.#trouble.watched('lease', (watch) => {
        return this.#open(lane, true, () => {
          watch()
          onStateChange()
        })
      })
    })
    this.#leases[lane.id] = pool
    return pool
  }

  /** Tells the observer how the shard fares, until the function returned is called. */
  observe(observer: ShardObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Opens a connection for subscriptions with these credentials; undefined: the configured ones. */
  openSubscriber(credentials: Credentials | undefined, events: SubscriberEvents): Subscriber {
    const { requestTimeoutMs, logger } = this.#options
    const subscriber = new Subscriber({
      requestTimeoutMs,
      open: (options) => this.#openForSubscriber(credentials, options),
      events: {
        message: events.message,
        closed: () => {
          this.#subscribers.delete(subscriber)
          const { reason, topics } = subscriber
          if (topics > 0) logger.warn({ shard: this.name, reason, topics }, 'subscriber lost')
          events.closed()
        },
      },
    })
    this.#subscribers.add(subscriber)
    return subscriber
  }

  /**
   * Opens a connection that the caller has to itself, outside all limits, and closes. It selects no
   * database: a shard that is busy with a script would refuse that.
   */
  openAside(lane: Lane): ShardConnection {
    const forget = (): void => {
      if (connection.state === 'closed') this.#aside.delete(connection)
    }
    const connection = this.#open({ ...lane, database: 0 }, true, forget, false)
    this.#aside.add(connection)
    connection.connect()
    return connection
  }

  /** Closes what the lane has here. */
  closeLane(lane: Lane): void {
    for (const connection of this.#shared[lane.id] ?? []) connection.close()
    this.#leases[lane.id]?.close()
    this.#shared[lane.id] = undefined
    this.#leases[lane.id] = undefined
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#resolveTimer)
    for (const connection of this.#shared.flat()) connection?.close()
    for (const pool of this.#leases) pool?.close()
    for (const connection of this.#aside) connection.close()
    for (const subscriber of this.#subscribers) subscriber.close()
  }

  /** The answer to a request that is not even tried, because the shard is known to be away. */
  refusal(): Failure {
    this.#options.stats.errors.unavailable++
    return this.errors.unavailable
  }

  /** Where it is: `host:port` or the path of its socket. */
  get address(): string {
    const { address } = this.#options
    return 'path' in address ? address.path : `${address.host}:${address.port}`
  }

  /** Whether it was up when it was last heard of; undefined before that. */
  get lastUp(): boolean | undefined {
    return this.#up
  }

  /** At least one connection takes requests. */
  get up(): boolean {
    return this.#first.some((connection) => connection.state === 'ready')
  }

  /** Requests sent over shared connections and not answered. */
  get inFlight(): number {
    return this.#shared.flat().reduce((sum, connection) => sum + (connection?.inFlight ?? 0), 0)
  }

  /** Connections of every kind, open or being opened. */
  get connections(): number {
    const leases = this.#leases.reduce((sum, pool) => sum + (pool?.size ?? 0), 0)
    const shared = this.#shared.flat().filter((each) => each?.isOpen).length
    return shared + leases + this.#subscribers.size + this.#aside.size
  }

  /** Bytes of requests that the system has not taken yet, on shared connections. */
  get unsentBytes(): number {
    return this.#shared.flat().reduce((sum, each) => sum + (each?.unsentBytes ?? 0), 0)
  }

  get stats(): ShardStats {
    return this.#options.stats
  }

  /** Topics subscribed, once each however many clients have them. */
  get topics(): number {
    return [...this.#subscribers].reduce((sum, subscriber) => sum + subscriber.topics, 0)
  }

  /** Dedicated connections in use. */
  get leased(): number {
    return this.#leases.reduce((sum, pool) => sum + (pool?.inUse ?? 0), 0)
  }

  /**
   * Names may lead elsewhere in time, and a connection to where they led before goes on working. Each
   * new connection resolves the name by itself; this notices that a new one is due.
   */
  #resolveAgain(): void {
    const { address } = this.#options
    if ('path' in address || address.host === undefined || isIP(address.host) !== 0) return
    const { host } = address
    this.#resolveTimer = setTimeout(() => {
      lookup(host, { all: true }, (error, found) => {
        if (this.#closed) return
        // What cannot be resolved now was good a moment ago, and may be again.
        if (error === null) this.#renewUnless(new Set(found.map((each) => each.address)))
        this.#resolveAgain()
      })
    }, RESOLVE_AGAIN_MS)
    this.#resolveTimer.unref()
  }

  #renewUnless(addresses: ReadonlySet<string>): void {
    for (const connection of this.#shared.flatMap((connections) => connections ?? [])) {
      const { remoteAddress } = connection
      if (remoteAddress !== undefined && !addresses.has(remoteAddress)) connection.renew()
    }
  }

  /** `onStateChange`: for the first lane, whose state is the shard's. */
  #openShared(lane: Lane, onStateChange?: () => void): readonly ShardConnection[] {
    const open = (watch: () => void) => this.#open(lane, false, onStateChange ?? watch)
    const { connections } = this.#options
    const opened = Array.from({ length: connections }, () => this.#trouble.watched('lane', open))
    this.#shared[lane.id] = opened
    for (const connection of opened) connection.connect()
    return opened
  }

  #openForSubscriber(
    credentials: Credentials | undefined,
    options: SubscriberConnectionOptions,
  ): ShardConnection {
    const { username, password } = credentials ?? this.#options.credentials ?? {}
    return new ShardConnection({
      ...this.#common,
      // Messages do not depend on the database.
      handshake: handshake({ protocol: 2, database: 0, username, password, clientId: false }),
      // What breaks with the connection is no longer subscribed: nothing may have been executed.
      errors: { ...this.errors, lost: this.errors.unavailable },
      reconnect: false,
      ...options,
    })
  }

  /** What all its connections have in common. */
  get #common() {
    const { address, connectTimeoutMs, turn, stats, latencies } = this.#options
    return { address, connectTimeoutMs, turn, stats, latencies }
  }

  #open(
    lane: Lane,
    leased: boolean,
    onStateChange: () => void,
    clientId = leased,
  ): ShardConnection {
    const credentials = lane.credentials ?? this.#options.credentials
    return new ShardConnection({
      ...this.#common,
      handshake: handshake({
        protocol: lane.protocol,
        database: lane.database ?? this.#options.database,
        username: credentials?.username,
        password: credentials?.password,
        clientId,
      }),
      errors: this.errors,
      requestTimeoutMs: this.#options.requestTimeoutMs,
      lookout: this.#options.lookout,
      shard: this.name,
      reconnect: !leased,
      onStateChange,
      onFailure: leased ? undefined : () => this.#onFailure(),
    })
  }

  #onFailure(): void {
    const connections = this.#shared.flatMap((each) => each ?? [])
    const answered = connections.some(({ lastReadMs }) => lastReadMs > this.#failedAtMs)
    this.#failedAtMs = this.#options.turn.now()
    for (const { failed } of this.#observers) failed?.(answered)
  }

  /** Whether it answers a connection of its own. */
  probe(lane: Lane): Promise<boolean> {
    const connection = this.openAside(lane)
    return new Promise((resolve) => {
      connection.onceSettled(() => {
        resolve(connection.state === 'ready')
        connection.close()
      })
    })
  }

  /** Says once when the shard goes away and once when it is back. */
  #onStateChange(): void {
    const up = this.up
    // A shard that we leave has not gone down.
    if (up === this.#up || this.#closed) return
    this.#up = up
    for (const { changed } of this.#observers) changed?.(up)
    const { logger } = this.#options
    const reason = this.#first.find((connection) => connection.state !== 'ready')?.reason
    if (up) logger.info({ shard: this.name }, 'shard up')
    else logger.warn({ shard: this.name, reason }, 'shard down')
  }
}
