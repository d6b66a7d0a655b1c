/**
 * What one configuration makes: the ring over the pool's shards, and the dispatcher with all its
 * commands. A reload makes the next generation. Nothing that outlives a generation may refer to it, so
 * a generation removes its callbacks when it retires.
 */
import type { AddressInfo } from 'node:net'
import type { CommandTable } from './commands/lookup.ts'
import type { Config, PoolConfig } from './config/config.ts'
import { packageVersion } from './config/package-directory.ts'
import { DEFAULT_POOL } from './config/pool-name.ts'
import { settingTexts } from './config/setting-texts.ts'
import { scoreFormat } from './control/greeting.ts'
import { blockingCommands } from './dispatcher/blocking/blocking.ts'
import type { Client, Decider } from './dispatcher/core/client.ts'
import {
  Dispatcher,
  type SpecialCommand,
  type SpecialCommands,
} from './dispatcher/core/dispatcher.ts'
import { Sender, type SenderOptions, type Target } from './dispatcher/core/sender.ts'
import { clientCommands } from './dispatcher/edge/client-commands.ts'
import { EdgeUsers } from './dispatcher/edge/edge-users.ts'
import { handshakeCommands } from './dispatcher/edge/handshake-commands.ts'
import { killCommands } from './dispatcher/edge/kill-commands.ts'
import { leaseTwins } from './dispatcher/edge/lease-twin.ts'
import { clusterCommands, LOCAL_COMMANDS } from './dispatcher/edge/local-commands.ts'
import { randomKeyCommands } from './dispatcher/keyspace/random-key.ts'
import { scanCommands } from './dispatcher/keyspace/scan.ts'
import { Judge } from './dispatcher/preflight/judge.ts'
import { Rehearsing } from './dispatcher/preflight/rehearsing.ts'
import { topicsOver } from './dispatcher/pubsub/home.ts'
import { publishCommands } from './dispatcher/pubsub/publish.ts'
import { pubsubIntrospection } from './dispatcher/pubsub/pubsub-introspection.ts'
import { subscriptionCommands } from './dispatcher/pubsub/subscription-commands.ts'
import type { SubscriptionRegistries } from './dispatcher/pubsub/subscription-registries.ts'
import { crossShardReads } from './dispatcher/reads/cross-shard.ts'
import { ReplicaReads, readersOver } from './dispatcher/reads/replica-reads.ts'
import { ambassadorCommands } from './dispatcher/reports/ambassador-commands.ts'
import { commandCommands } from './dispatcher/reports/command-commands.ts'
import { configCommands } from './dispatcher/reports/config-get.ts'
import { debugCommand } from './dispatcher/reports/debug-command.ts'
import { infoCommands } from './dispatcher/reports/info.ts'
import { reportCommands } from './dispatcher/reports/report-commands.ts'
import type { ScriptCache } from './dispatcher/scripts/script-cache.ts'
import { Scripts } from './dispatcher/scripts/scripts.ts'
import { transactionCommands } from './dispatcher/transactions/transaction-commands.ts'
import type { Session } from './downstream/session.ts'
import type { Turn } from './io/turn.ts'
import type { Logger } from './logger.ts'
import { requestTimeoutMs } from './pool/member.ts'
import type { NearCaching } from './pool/near-caching.ts'
import type { Pools } from './pool/pools.ts'
import { PoolTopology } from './pool/router/pool-topology.ts'
import { openRouter, type Router } from './pool/router/router.ts'
import type { Rehearsals } from './pool/to-come/rehearsals.ts'
import type { Lookout } from './stats/lookout/lookout.ts'
import type { Stats } from './stats/stats.ts'
import type { Topology } from './topology/topology.ts'
import type { Lanes } from './upstream/lane.ts'
import { Reader, type ReadingNow } from './upstream/replicas/reader.ts'
import type { Shard } from './upstream/shard.ts'

/** What outlives a reload. */
export interface Shared {
  readonly pools: Pools
  readonly nearCaching: NearCaching
  readonly rehearsals: Rehearsals
  readonly turn: Turn
  readonly lanes: Lanes
  readonly table: CommandTable
  readonly clients: Map<number, Client>
  readonly scripts: ScriptCache
  readonly subscriptions: SubscriptionRegistries
  /** Where clients connect; filled in as the listener starts. */
  readonly addresses: readonly (AddressInfo | string)[]
  readonly startedAtMs: number
  readonly lookout: Lookout
  readonly stats: Stats
  readonly logger: Logger
}

export class Generation {
  readonly config: Config
  readonly pools: readonly [PoolTopology, ...PoolTopology[]]
  readonly topology: Topology<Shard>
  /** Decides what becomes of clients' requests. */
  readonly decider: Decider
  readonly #dispatcher: Dispatcher
  readonly #shared: Shared
  readonly #router: Router
  /** Removes the callbacks from the pools, which stay. */
  readonly #detach: () => void

  /** Uses the shards that the pools have now. */
  constructor(config: Config, shared: Shared) {
    this.config = config
    this.#shared = shared
    const [first, ...others] = shared.pools.all.map((pool, index) => {
      // Channels have moved like keys.
      const options = { ...shared, onChange: () => this.followShards() }
      return new PoolTopology(config.pools[index] as PoolConfig, pool, options)
    })
    this.pools = [first as PoolTopology, ...others]
    this.#router = openRouter(this.pools, config.routes)
    this.topology = this.#router.topology
    this.#detach = shared.pools.observe({
      mastersChanged: () => this.followShards(),
      slotsMoved: () => this.#followSlots(),
    })
    this.#dispatcher = openDispatcher(config, shared, this.#router)
    this.decider = deciderOf(config, shared, this.#dispatcher)
  }

  /** The shards at this moment; with a static configuration always the same. */
  get shards(): readonly Shard[] {
    return this.#router.shards()
  }

  poolOf(key: Uint8Array): PoolConfig {
    return this.#router.poolOf(key).config
  }

  /** Makes the client of a new session. */
  serve(session: Session): Client {
    return this.#dispatcher.serve(session, this.decider)
  }

  /** Topics are subscribed on the shards that there are now. */
  followShards(): void {
    const { subscriptions } = this.#shared
    const poolOf = (name: Buffer): PoolTopology => this.#router.poolOf(name)
    const places = topicsOver(this.pools, poolOf, subscriptions.places)
    subscriptions.follow(this.shards, places)
  }

  /** Slots have moved, and with them the channels that belong to their owners. */
  #followSlots(): void {
    if (this.#shared.subscriptions.hasShardChannels) this.followShards()
  }

  /** From now on nothing refers to it. */
  retire(): void {
    this.#detach()
    for (const pool of this.pools) pool.retire()
  }
}

/** Without a rehearsal the dispatcher is asked directly, at no cost. */
function deciderOf(
  { whatIf }: Config,
  { rehearsals, table }: Shared,
  dispatcher: Dispatcher,
): Decider {
  const { current } = rehearsals
  if (whatIf === undefined || current === undefined) return dispatcher
  return new Rehearsing(dispatcher, new Judge({ table, policy: whatIf, ...current }))
}

function openDispatcher(config: Config, shared: Shared, router: Router): Dispatcher {
  const { pools, table, lanes, clients, lookout } = shared
  const { inHand } = shared.stats
  const serverGreeting = () => pools.learning.greeting
  const { edge } = config
  const users = new EdgeUsers(edge.password, edge.users ?? [])
  const authenticate = users.required || edge.authPassthrough
  const sending = { ...router, policy: { allowAdmin: edge.allowAdmin }, lookout }
  const near = shared.nearCaching.cache
  const sender = new Sender({ ...sending, near })
  const { shards } = router
  const scripts = new Scripts(sender, shared.scripts)
  const { blocking, combinedBy } = readsOf(config, shared, sender)
  const reads = replicaReadsOf(config, shared, sending, sender, (readers) => {
    return { ...combinedBy(readers), ...scripts.reads(readers) }
  })
  const dispatching = { table, sender: reads ?? sender, lanes, clients, authenticate, inHand, near }
  const dispatcher = new Dispatcher(dispatching)
  dispatcher.register(LOCAL_COMMANDS)
  dispatcher.register(clusterCommands(table))
  const passAuthThrough = edge.authPassthrough
  dispatcher.register(handshakeCommands({ lanes, shards, users, passAuthThrough, serverGreeting }))
  dispatcher.register(blocking)
  dispatcher.register(combinedBy(sender), blocking)
  dispatcher.register(scripts.commands())
  dispatcher.register(killCommands(sender))
  const leaseTwin = leaseTwins(users, passAuthThrough)
  const execute: SpecialCommand = (client, request, row) => dispatcher.execute(client, request, row)
  // The pool is known only at EXEC.
  const timeoutMs = Math.max(...config.pools.map(requestTimeoutMs))
  const splits = edge.transactions === 'split'
  const transactions = { sender, lanes, scripts, leaseTwin, execute, inHand, splits }
  dispatcher.register(transactionCommands({ ...transactions, requestTimeoutMs: timeoutMs }))
  dispatcher.register(subscriptionCommands(shared.subscriptions))
  dispatcher.register(publishCommands(sender, shared.subscriptions))
  // With AUTH passed through, only the shards know who their users are.
  const isUser = (name: string) => edge.authPassthrough || users.has(name)
  dispatcher.register(clientCommands({ clients, sender, isUser }))
  dispatcher.register(reportCommands(sender))
  dispatcher.register(debugCommand(sender))
  dispatcher.register(commandCommands(table, sender))
  dispatcher.register(
    scanCommands({ sender, nameOf: namesOf(config, pools), isPlain: !pools.hasHadSeveral }),
  )
  dispatcher.register(randomKeyCommands(sender))
  dispatcher.register(pubsubIntrospection(sender, shared.subscriptions))
  registerSelfDescription(config, shared, dispatcher, sender)
  dispatcher.assertComplete()
  if (reads !== undefined) dispatcher.precede((row, command) => reads.before(row, command))
  return dispatcher
}

/** Blocking commands, and reads that combine keys of several shards. */
function readsOf({ edge }: Config, { table, lookout, pools }: Shared, sender: Sender) {
  const blocking = blockingCommands({ table, sender, lookout })
  const format = () => scoreFormat(pools.learning.greeting)
  const combinedBy = <T extends Target>(way: Sender<T>): SpecialCommands => {
    return edge.crossShardReads ? crossShardReads(way, blocking, format) : {}
  }
  return { blocking, combinedBy }
}

/** Undefined where all is read from the masters, so that such a configuration pays nothing. */
function replicaReadsOf(
  config: Config,
  { pools, turn }: Shared,
  sending: SenderOptions,
  sender: Sender,
  specialReadsOver: (readers: Sender<Target>) => SpecialCommands,
): ReplicaReads | undefined {
  const now: ReadingNow = { session: undefined }
  const nowMs = () => turn.now()
  const known = new Map<Shard, Reader>()
  for (const [index, poolConfig] of config.pools.entries()) {
    const { readFrom: policy, readAfterWriteMs, zone } = poolConfig
    const { shards = [], replicaSets = [] } = pools.all[index] ?? {}
    if (policy === 'master') continue
    const times = { readAfterWriteMs, requestTimeoutMs: requestTimeoutMs(poolConfig), now: nowMs }
    for (const [at, set] of replicaSets.entries()) {
      const master = shards[at] as Shard
      if (set !== undefined)
        known.set(master, new Reader({ master, set, policy, zone, ...times }, now))
    }
  }
  if (known.size === 0) return undefined
  const readers = readersOver(sending, (shard) => known.get(shard) ?? shard)
  return new ReplicaReads({ sender, readers, specialReads: specialReadsOver(readers), now, nowMs })
}

/** The data set of a shard, by a name that it has in every ambassador that is configured alike. */
function namesOf(config: Config, pools: Pools): (shard: Shard) => string {
  const names = new Map<Shard, string>()
  for (const [index, { name: pool, shards, cluster }] of config.pools.entries()) {
    if (cluster !== undefined) continue
    const own = pools.all[index]?.shards ?? []
    for (const [at, { name, host, port, path, sentinel, database }] of shards.entries()) {
      const place = [name, host, port, path, sentinel?.master, database]
      const data = pool === DEFAULT_POOL ? place : [...place, pool]
      names.set(own[at] as Shard, JSON.stringify(data))
    }
  }
  return (shard) => names.get(shard) ?? shard.name
}

/** INFO, CONFIG GET and AMBASSADOR, which tell clients where they are connected. */
function registerSelfDescription(
  config: Config,
  shared: Shared,
  dispatcher: Dispatcher,
  sender: Sender,
): void {
  const { addresses, startedAtMs, clients, lanes, table, lookout } = shared
  const { nearCaching, rehearsals, stats } = shared
  const { maxClients, clientIdleTimeoutMs, authPassthrough } = config.edge
  const version = packageVersion()
  const identity = { version, environment: config.process.environment.name, startedAtMs }
  const tcp = () => addresses.filter((address) => typeof address === 'object')
  const port = () => tcp()[0]?.port ?? 0
  const own = () => ({
    port: `${port()}`,
    bind: [...new Set(tcp().map(({ address }) => address))].join(' '),
    maxclients: `${maxClients}`,
    // In seconds; less than one must not look like never.
    timeout: `${Math.ceil(clientIdleTimeoutMs / 1000)}`,
  })
  const near = { near: nearCaching.cache, nearStats: stats.nearCache }
  const facts = { clients, shards: () => sender.shards, lanes, table, ...near }
  dispatcher.register(infoCommands({ sender, facts, identity, maxClients, port }))
  dispatcher.register(configCommands({ sender, own }))
  const settings = settingTexts(config)
  // With AUTH passed through, one user may not learn the keys of another.
  const tellsKeys = !authPassthrough
  const preflight = () => rehearsals.current?.rehearsal.report(tellsKeys)
  const about = { lookout, identity, settings, tellsKeys, preflight }
  dispatcher.register(ambassadorCommands({ sender, facts, ...about }))
}
