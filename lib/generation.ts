/**
 * What one configuration makes: the ring over the pool's shards, the dispatcher with all its commands.
 * A reload makes the next generation. Nothing that outlives this one may hold it: what it tells others
 * to call, it takes back when it retires.
 */
import type { AddressInfo } from 'node:net'
import type { CommandTable } from './commands/lookup.ts'
import type { Config, PoolConfig, ShardConfig } from './config/config.ts'
import { packageVersion } from './config/package-directory.ts'
import { settingTexts } from './config/setting-texts.ts'
import { scoreFormat } from './control/greeting.ts'
import { blockingCommands } from './dispatcher/blocking/blocking.ts'
import type { Client } from './dispatcher/core/client.ts'
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
import { type HomeOf, homesOn } from './dispatcher/pubsub/home.ts'
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
import { transactionCommands } from './dispatcher/transactions/transaction.ts'
import type { Turn } from './io/turn.ts'
import type { Logger } from './logger.ts'
import { requestTimeoutMs } from './pool/member.ts'
import type { NearCaching } from './pool/near-caching.ts'
import type { Pool } from './pool/pool.ts'
import { Placement } from './routing/placement/placement.ts'
import type { Lookout } from './stats/lookout/lookout.ts'
import type { Stats } from './stats/stats.ts'
import { Ejecting } from './topology/ejecting.ts'
import { RingTopology } from './topology/ring-topology.ts'
import type { Topology } from './topology/topology.ts'
import type { Lanes } from './upstream/lane.ts'
import { Reader, type ReadingNow } from './upstream/replicas/reader.ts'
import type { ReplicaSet } from './upstream/replicas/replica-set.ts'
import type { Shard } from './upstream/shard.ts'

/** What outlives a reload. */
export interface Shared {
  readonly pool: Pool
  readonly nearCaching: NearCaching
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
  readonly topology: Topology<Shard>
  readonly dispatcher: Dispatcher
  readonly #shared: Shared
  readonly #shards: () => readonly Shard[]
  readonly #ring: Ejecting<Shard> | undefined
  /** From the shards and the pool, which may stay. */
  readonly #detach: readonly (() => void)[]

  /** Over the shards that the pool has now. */
  constructor(config: Config, shared: Shared) {
    this.config = config
    this.#shared = shared
    const { shards, cluster } = shared.pool
    const [pool] = config.pools
    this.#ring = pool.ejectShards ? ejectingRing(pool, shared, shards) : undefined
    this.topology = cluster?.topology ?? this.#ring ?? new RingTopology(placementOf(pool), shards)
    this.#shards = cluster === undefined ? () => shards : () => cluster.shards
    this.#detach = [
      ...(this.#ring === undefined ? [] : tellFailures(shards, this.#ring)),
      shared.pool.observe(() => this.followShards()),
    ]
    const senderOptions = { topology: this.topology, shards: this.#shards, slots: cluster?.sender }
    this.dispatcher = openDispatcher(config, shared, senderOptions)
  }

  /** Those there are at this moment: of a static configuration always the same. */
  get shards(): readonly Shard[] {
    return this.#shards()
  }

  /** Topics are subscribed on the shards that there are now. */
  followShards(): void {
    const { subscriptions, pool } = this.#shared
    if (pool.cluster === undefined) {
      subscriptions.follow(this.shards, homesOf(this.config.pools[0], this.topology))
      return
    }
    // The nodes of a cluster pass on to each other what is published on one of them.
    const [before] = subscriptions.servers
    const server = this.shards.find((shard) => shard === before) ?? (this.shards[0] as Shard)
    subscriptions.follow([server], () => server)
  }

  /** Nothing that goes on hears or holds of it any more. */
  retire(): void {
    for (const detach of this.#detach) detach()
    this.#ring?.stop()
  }
}

/** The ring over some of the shards, by index; without `live` over all. */
function placementOf(config: PoolConfig, live?: readonly number[]): Placement {
  const { shards, hash, distribution, hashTag, byteSign } = config
  const servers = live?.map((index) => shards[index] as ShardConfig) ?? shards
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}

function ejectingRing(
  config: PoolConfig,
  shared: Shared,
  shards: readonly Shard[],
): Ejecting<Shard> {
  const { pool, lanes, subscriptions, logger } = shared
  const ring = new Ejecting<Shard>({
    shards,
    standings: pool.standings,
    ringOf: (live) => placementOf(config, live),
    failureLimit: config.ejectAfterFailures,
    retryMs: config.ejectRetryMs,
    probe: (shard) => shard.probe(lanes.first),
    onChange: ({ name }, ejected) => {
      const facts = { shard: name }
      if (ejected) logger.warn(facts, 'shard ejected, its keys go to the others')
      else logger.info(facts, 'shard restored')
      // Channels have moved like keys.
      subscriptions.follow(shards, homesOf(config, ring))
    },
  })
  return ring
}

function homesOf({ distribution }: PoolConfig, topology: Topology<Shard>): HomeOf {
  return homesOn(topology, distribution !== 'random')
}

/** Returns what ends it, for each shard. */
function tellFailures(shards: readonly Shard[], ring: Ejecting<Shard>): (() => void)[] {
  return shards.map((shard, index) => {
    return shard.observe({ failed: (answered) => ring.failed(index, answered) })
  })
}

function openDispatcher(
  config: Config,
  shared: Shared,
  senderOptions: Pick<SenderOptions, 'topology' | 'shards' | 'slots'>,
): Dispatcher {
  const { pool, table, lanes, clients, lookout } = shared
  const { inHand } = shared.stats
  const serverGreeting = () => pool.learning.greeting
  const { edge } = config
  const [poolConfig] = config.pools
  const users = new EdgeUsers(edge.password, edge.users ?? [])
  const authenticate = users.required || edge.authPassthrough
  const sending = { ...senderOptions, policy: { allowAdmin: edge.allowAdmin }, lookout }
  const near = shared.nearCaching.cache
  const sender = new Sender({ ...sending, near })
  const { shards } = senderOptions
  const scripts = new Scripts(sender, shared.scripts)
  const { blocking, combinedBy } = readsOf(config, shared, sender)
  const reads = replicaReadsOf(poolConfig, shared, sending, sender, (readers) => {
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
  const timeoutMs = requestTimeoutMs(poolConfig)
  const transactions = { sender, lanes, scripts, leaseTwin, execute, inHand }
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
    scanCommands({ sender, nameOf: namesOf(poolConfig, shards()), isPlain: !pool.hasHadSeveral }),
  )
  dispatcher.register(randomKeyCommands(sender))
  dispatcher.register(pubsubIntrospection(sender, shared.subscriptions))
  registerSelfDescription(config, shared, dispatcher, sender)
  dispatcher.assertComplete()
  if (reads !== undefined) dispatcher.precede((row, command) => reads.before(row, command))
  return dispatcher
}

/** Commands that block, and those that combine what several shards have, over whatever is to be asked. */
function readsOf({ edge, pools }: Config, { table, lookout, pool }: Shared, sender: Sender) {
  const timeoutMs = requestTimeoutMs(pools[0])
  const blocking = blockingCommands({ table, sender, lookout, requestTimeoutMs: timeoutMs })
  const format = () => scoreFormat(pool.learning.greeting)
  const combinedBy = <T extends Target>(way: Sender<T>): SpecialCommands => {
    return edge.crossShardReads ? crossShardReads(way, blocking, format) : {}
  }
  return { blocking, combinedBy }
}

/** Undefined where all is read from the masters: then nothing of this is on the way. */
function replicaReadsOf(
  config: PoolConfig,
  { pool, turn }: Shared,
  sending: SenderOptions,
  sender: Sender,
  specialReadsOver: (readers: Sender<Reader>) => SpecialCommands,
): ReplicaReads | undefined {
  const { readFrom: policy, readAfterWriteMs, zone } = config
  if (policy === 'master') return undefined
  const now: ReadingNow = { session: undefined }
  const nowMs = () => turn.now()
  const sets = pool.replicaSets
  const times = { readAfterWriteMs, requestTimeoutMs: requestTimeoutMs(config), now: nowMs }
  const readers = readersOver(sending, (master, index) => {
    return new Reader({ master, set: sets[index] as ReplicaSet, policy, zone, ...times }, now)
  })
  return new ReplicaReads({ sender, readers, specialReads: specialReadsOver(readers), now, nowMs })
}

/** The data set of a shard, by a name that it has in every ambassador that is configured alike. */
function namesOf(config: PoolConfig, shards: readonly Shard[]): (shard: Shard) => string {
  const names = config.shards.map(({ name, host, port, path, sentinel, database }) => {
    return JSON.stringify([name, host, port, path, sentinel?.master, database])
  })
  return (shard) => names[shards.indexOf(shard)] ?? shard.name
}

/** INFO, CONFIG GET and AMBASSADOR, which tell clients where they are connected. */
function registerSelfDescription(
  config: Config,
  { addresses, startedAtMs, clients, lanes, table, lookout }: Shared,
  dispatcher: Dispatcher,
  sender: Sender,
): void {
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
  const facts = { clients, shards: () => sender.shards, lanes, table }
  dispatcher.register(infoCommands({ sender, facts, identity, maxClients, port }))
  dispatcher.register(configCommands({ sender, own }))
  const settings = settingTexts(config)
  // Where the shards judge, one user may not know the keys of another.
  const tellsKeys = !authPassthrough
  dispatcher.register(ambassadorCommands({ sender, facts, lookout, identity, settings, tellsKeys }))
}
