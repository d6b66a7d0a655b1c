/** One Redis behind us: its connections in every lane, and whether it can be reached. */
import { type Failure, type ShardFailures, shardFailures } from '../failures.ts'
import { requestFrame } from '../resp/encode.ts'
import type { ShardStats } from '../stats/shard-stats.ts'
import type { Backend, Fragment, Frame } from './backend.ts'
import type { ShardConnection } from './connection/connection.ts'
import type { ShardAddress } from './connection/making/dial.ts'
import { ConnectionTrouble } from './connection-trouble.ts'
import { Doubts } from './doubts/doubts.ts'
import { Health } from './doubts/health.ts'
import { ServerHistory } from './doubts/server-history.ts'
import { appendFrame, encodeFragment } from './fragment.ts'
import type { Credentials, Lane } from './lane.ts'
import type { LeasePool } from './leases/lease-pool.ts'
import { Leases } from './leases/leases.ts'
import { Opener } from './opener.ts'
import type { ReplicasView } from './replicas/replicas-view.ts'
import type { ReplySink } from './reply-sink.ts'
import type { ShardObserver } from './shard-observer.ts'
import type { ShardOptions, ShardSettings } from './shard-options.ts'
import { SharedConnections } from './shared-connections.ts'
import type { Subscriber, SubscriberOwner } from './subscribers/subscriber.ts'
import { Subscribers } from './subscribers/subscribers.ts'

/** Holds for the one request behind it, or for the transaction that it begins. */
export const ASKING = requestFrame(['ASKING'])

export class Shard implements Backend {
  readonly name: string
  /** The pool that it is in. */
  readonly pool: string
  readonly errors: ShardFailures
  readonly history = new ServerHistory()
  /** Those that are read from; undefined where all is read from the master. */
  replicas: ReplicasView | undefined
  /** It is out of use for ever. */
  closed = false
  readonly #options: ShardOptions
  readonly #shared: SharedConnections
  readonly #leases: Leases
  readonly #subscribers: Subscribers
  /** Connections that a caller has to itself and closes. */
  readonly #aside = new Set<ShardConnection>()
  readonly #firstLane: Lane
  readonly #opener: Opener
  readonly #server: { address: ShardAddress | undefined; mayMove: boolean; onHold: boolean }
  readonly #doubts: Doubts
  /** By the first lane's connections. */
  readonly #health: Health
  readonly #observers = new Set<ShardObserver>()
  #failedAtMs = 0
  readonly #trouble: ConnectionTrouble

  constructor(options: ShardOptions, firstLane: Lane) {
    this.name = options.name
    this.pool = options.pool ?? 'default'
    this.errors = shardFailures(options.name)
    this.#options = options
    this.#firstLane = firstLane
    const { name: shard, address, onDoubt, settings, turn, logger } = options
    const now = (): number => turn.now()
    this.#trouble = new ConnectionTrouble({ shard, isUp: () => this.up, now, logger })
    this.#health = new Health({
      shard,
      now,
      logger,
      onChange: (up) => this.#changed(up),
      onRefused: () => this.#tell(({ failed }) => failed?.(false)),
    })
    this.#doubts = new Doubts(this, this.#health, { address, onDoubt, now, logger })
    const way = address && this.#doubts.wayTo(address)
    this.#server = { address: way, mayMove: address === undefined, onHold: false }
    this.#leases = new Leases((lane, onChange) => this.#openLease(lane, onChange), now)
    this.#subscribers = new Subscribers(settings.requestTimeoutMs)
    this.#opener = new Opener(options, this.errors, this.#server)
    this.#shared = new SharedConnections((lane) => this.#openShared(lane), settings.connections)
    this.#health.watch(this.#shared.of(firstLane))
  }

  /**
   * The shared connection of a lane for a session: always the same one, so that the session's
   * commands reach the shard in the order in which it sent them.
   */
  connectionFor(lane: Lane, sessionId: number): ShardConnection {
    const connections = this.#shared.of(lane)
    const count = connections.length
    // Nearly always there is one, and a division would cost as much as all else here.
    return connections[count === 1 ? 0 : sessionId % count] as ShardConnection
  }

  /** Backend */
  send(sessionId: number, lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    const outbox = this.connectionFor(lane, sessionId).enter(sink, ticket)
    if (outbox !== undefined) appendFrame(outbox, frame)
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

  /** As `send`, behind ASKING: the server takes the request though it does not own the slot yet. */
  sendAsking(sessionId: number, lane: Lane, frame: Buffer, sink: ReplySink, ticket: number): void {
    this.connectionFor(lane, sessionId).sendBehind(ASKING, sink, ticket, frame)
  }

  /** Whether a request of the session would fail at once, unsent. */
  isAway(lane: Lane, sessionId: number): boolean {
    return this.connectionFor(lane, sessionId).state === 'waiting'
  }

  leases(lane: Lane): LeasePool {
    return this.#leases.of(lane)
  }

  /** Tells the observer how the shard does, until the returned function is called. */
  observe(observer: ShardObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Goes on with these settings. Nothing that clients have under way ends by it. */
  configure(settings: ShardSettings): void {
    const { connections, requestTimeoutMs } = settings
    this.#opener.configure(settings)
    this.#shared.resize(connections)
    this.#health.watch(this.#shared.of(this.#firstLane))
    for (const connection of this.#shared.all) connection.allow(requestTimeoutMs, false)
    this.#leases.allow(requestTimeoutMs)
  }

  /**
   * Connections are made in another way from now on, to the same server: with other certificates, which
   * are in `address`. What is shared is replaced without losing a request, and
   * what is dedicated is not used again after what it is in.
   */
  reconnect(address: ShardAddress | undefined): void {
    if (address !== undefined) this.#server.address = this.#doubts.wayTo(address)
    this.renew(() => true)
    for (const connection of this.#shared.all) connection.retry()
    this.#leases.outdate()
  }

  /** There are other credentials: connections log in with them, and none of them ends by it. */
  authenticate(): void {
    for (const connection of this.#shared.all) connection.authenticate()
    this.#leases.authenticate()
    this.#subscribers.authenticate()
  }

  /** Opens a connection for subscriptions with these credentials; undefined: the configured ones. */
  openSubscriber(credentials: Credentials | undefined, owner: SubscriberOwner): Subscriber {
    const signs = this.#doubts.signsOf(this.#firstLane)
    return this.#subscribers.open((options) => {
      return this.#opener.openForSubscriber(credentials, signs, options)
    }, owner)
  }

  /**
   * Opens a connection that the caller has to itself, outside all limits, and closes. It selects no
   * database: a shard that is busy with a script would refuse that.
   */
  openAside(lane: Lane): ShardConnection {
    return this.#openAside({ ...lane, database: 0 })
  }

  /** The same in the lane's database, with RESP3. `onClosed`: it is closed, whoever did it. */
  openWatch(lane: Lane, onClosed: () => void): ShardConnection {
    return this.#openAside({ ...lane, protocol: 3 }, onClosed)
  }

  #openAside(lane: Lane, onClosed?: () => void): ShardConnection {
    const onStateChange = ({ state }: ShardConnection): void => {
      if (state !== 'closed') return
      this.#aside.delete(connection)
      onClosed?.()
    }
    const connection = this.#opener.open(lane, { leased: true, onStateChange })
    this.#aside.add(connection)
    connection.connect()
    return connection
  }

  /** Closes what the lane has here. */
  closeLane(lane: Lane): void {
    this.#shared.closeLane(lane)
    this.#leases.closeLane(lane)
  }

  close(): void {
    this.closed = true
    this.#health.close()
    this.#doubts.close()
    this.#shared.close()
    this.#leases.close()
    for (const connection of this.#aside) connection.close()
    this.#subscribers.close()
  }

  /** The answer to a request that is not even tried, because the shard is known to be away. */
  refusal(): Failure {
    this.#options.stats.errors.unavailable++
    return this.errors.unavailable
  }

  /** Where it is: `host:port` or the path of its socket. */
  get address(): string {
    return addressText(this.#server.address) ?? 'not known'
  }

  /** Equal for shards that are one server by their configuration. */
  get serverId(): string {
    return addressText(this.#options.address) ?? `master of ${this.name}`
  }

  /** Whether it was up when it was last heard of; undefined before that. */
  get lastUp(): boolean | undefined {
    return this.#health.told
  }

  /** At least one connection takes requests, and the shard does not refuse all of them. */
  get up(): boolean {
    return this.#health.up
  }

  /** Requests sent over shared connections and not answered. */
  get inFlight(): number {
    return this.#shared.all.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** Connections of every kind, open or being opened. */
  get connections(): number {
    const leases = this.#leases.connections.length
    const shared = this.#shared.all.filter(({ isOpen }) => isOpen).length
    return shared + leases + this.#subscribers.connections.length + this.#aside.size
  }

  /** Bytes of requests that the system has not taken yet, on shared connections. */
  get unsentBytes(): number {
    return this.#shared.all.reduce((sum, { unsentBytes }) => sum + unsentBytes, 0)
  }

  get stats(): ShardStats {
    return this.#options.stats
  }

  /** Topics subscribed, once each however many clients have them. */
  get topics(): number {
    return this.#subscribers.topics
  }

  /** Dedicated connections in use. */
  get leased(): number {
    return this.#leases.inUse
  }

  /**
   * The shard is elsewhere from now on, and all that belongs to it follows, but for connections of which
   * `stays` says that they are there already. No request is lost: requests that were not sent go to the new
   * place or fail. No client goes on waiting at the old one: blocked clients get an error, and clients
   * subscribed there are closed. `facts` are for the log. `isSure`: it is so also if no connection shows it.
   */
  moved(stays: (connection: ShardConnection) => boolean, facts: object, isSure = false): void {
    // One that is still being made goes where the shard is by now.
    const left = new Set(this.all().filter((each) => each.isMade && !stays(each)))
    if (left.size === 0) {
      // All are being made anew, and those who ask the server on their own account must follow.
      if (isSure) this.#tell(({ moved }) => moved?.())
      return
    }
    this.history.moved(false)
    const { name: shard, topics } = this
    const all = { shard, ...facts, connections: left.size, topics }
    this.#options.logger.info(all, 'shard moved, its connections follow')
    this.renew((connection) => left.has(connection))
    this.#leases.leave(left)
    for (const connection of this.#aside) if (left.has(connection)) connection.retire()
    this.#subscribers.leave(left)
    this.#tell(({ moved }) => moved?.())
  }

  /**
   * Its server has handed over its place. Blocked clients are told to wait no longer, unless their replies are under
   * way already: to block there would be to wait for nothing.
   */
  unblock(): void {
    this.#leases.unblock()
  }

  /**
   * The shard certainly has another server. The old one is left at once, and its later answers are
   * ignored: requests that were sent there are lost, and waiting ones go to the new server, in order.
   */
  relocate(address: ShardAddress, facts: object): void {
    const { topics } = this
    this.history.moved(this.#server.address === undefined)
    this.#server.address = address
    this.#server.onHold = false
    this.#options.logger.info({ shard: this.name, ...facts, topics }, 'shard has another server')
    for (const connection of this.#shared.all) connection.relocate()
    this.#leases.relocate()
    for (const connection of this.#aside) connection.close()
    this.#subscribers.relocate()
    this.#tell(({ moved }) => moved?.())
  }

  /** Its server is about to be replaced: requests wait until `relocate` or `release`. */
  hold(): void {
    this.#server.onHold = true
    this.history.troubled()
    for (const connection of this.all()) connection.hold()
  }

  /** The server stays. */
  release(): void {
    this.#server.onHold = false
    this.history.settled()
    for (const connection of this.all()) connection.release()
  }

  /** Since when a shared connection has owed a reply and said nothing; Infinity while none owes any. */
  get silentSinceMs(): number {
    return Math.min(...this.#shared.all.map(({ silentSinceMs }) => silentSinceMs))
  }

  /** Nothing that its server says is read until `listen`. */
  stopListening(): void {
    for (const connection of this.all()) connection.stopListening()
  }

  listen(): void {
    for (const connection of this.all()) connection.listen()
  }

  /** Its connections of every kind. */
  all(): readonly ShardConnection[] {
    const dedicated = [...this.#leases.connections, ...this.#subscribers.connections]
    return [...this.#shared.all, ...dedicated, ...this.#aside]
  }

  #openShared(lane: Lane): ShardConnection {
    const signs = this.#doubts.signsOf(lane)
    const onFailure = (): void => this.#onFailure()
    return this.#trouble.watched('lane', (watch) => {
      const onStateChange = (connection: ShardConnection): void => {
        if (lane === this.#firstLane) this.#health.changed(connection)
        else watch()
      }
      return this.#opener.open(lane, { signs, onStateChange, onFailure })
    })
  }

  #openLease(lane: Lane, changed: () => void): ShardConnection {
    const signs = this.#doubts.signsOf(lane)
    return this.#trouble.watched('lease', (watch) => {
      const onStateChange = (): void => {
        watch()
        changed()
      }
      return this.#opener.open(lane, { leased: true, clientId: true, signs, onStateChange })
    })
  }

  #changed(up: boolean): void {
    if (up) this.history.settled()
    else this.history.troubled()
    this.#tell(({ changed }) => changed?.(up))
  }

  #onFailure(): void {
    const answered = this.#shared.all.some(({ lastReadMs }) => lastReadMs > this.#failedAtMs)
    this.#failedAtMs = this.#options.turn.now()
    this.#tell(({ failed }) => failed?.(answered))
  }

  #tell(what: (observer: ShardObserver) => void): void {
    for (const observer of this.#observers) what(observer)
  }

  /** Whether it serves a connection of its own. */
  probe(lane: Lane): Promise<boolean> {
    const connection = this.openAside(lane)
    return new Promise((resolve) => {
      connection.onceSettled(() => {
        resolve(connection.state === 'ready' && connection.notServing === undefined)
        connection.close()
      })
    })
  }

  /** Doubted */
  endIdle(which: (connection: ShardConnection) => boolean): void {
    this.#leases.endIdle(which)
  }

  /** Doubted */
  renew(which: (connection: ShardConnection) => boolean): void {
    for (const connection of this.#shared.all) if (which(connection)) connection.renew()
  }
}

function addressText(address: ShardAddress | undefined): string | undefined {
  if (address === undefined) return undefined
  return 'path' in address ? address.path : `${address.host}:${address.port}`
}
