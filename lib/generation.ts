/**
 * What one configuration makes: the shards, the ring over them, the dispatcher with all its
 * commands. A reload makes the next generation, which takes over the shards that stay as they are.
 */
import type { AddressInfo } from 'node:net'
import type { CommandTable } from './commands/lookup.ts'
import type { Config, ShardConfig } from './config/config.ts'
import { packageVersion } from './config/package-directory.ts'
import { settingTexts } from './config/setting-texts.ts'
import { readShardFacts, readUsedMemory } from './control/control.ts'
import { type Greeting, scoreFormat } from './control/greeting.ts'
import type { ControlOptions, RedisAddress } from './control/ioredis.ts'
import { Learning } from './control/learning.ts'
import { ShardMemory } from './control/shard-memory.ts'
import { blockingCommands } from './dispatcher/blocking/blocking.ts'
import type { Client } from './dispatcher/core/client.ts'
import { Dispatcher } from './dispatcher/core/dispatcher.ts'
import { Sender } from './dispatcher/core/sender.ts'
import { clientCommands } from './dispatcher/edge/client-commands.ts'
import { EdgeUsers } from './dispatcher/edge/edge-users.ts'
import { handshakeCommands } from './dispatcher/edge/handshake-commands.ts'
import { killCommands } from './dispatcher/edge/kill-commands.ts'
import { clusterCommands, LOCAL_COMMANDS } from './dispatcher/edge/local-commands.ts'
import { randomKeyCommands } from './dispatcher/keyspace/random-key.ts'
import { scanCommands } from './dispatcher/keyspace/scan.ts'
import { pubsubIntrospection } from './dispatcher/pubsub/pubsub-introspection.ts'
import { subscriptionCommands } from './dispatcher/pubsub/subscription-commands.ts'
import { crossShardReads } from './dispatcher/reads/cross-shard.ts'
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
import { Placement } from './routing/placement/placement.ts'
import { shardAddress } from './shard-address.ts'
import type { Lookout } from './stats/lookout/lookout.ts'
import type { Stats } from './stats/stats.ts'
import { Ejecting } from './topology/ejecting.ts'
import { RingTopology } from './topology/ring-topology.ts'
import type { Topology } from './topology/topology.ts'
import type { Lanes } from './upstream/lane.ts'
import { Shard } from './upstream/shard.ts'

/** What outlives a reload. */
export interface Shared {
  readonly turn: Turn
  readonly lanes: Lanes
  readonly table: CommandTable
  readonly clients: Map<number, Client>
  readonly scripts: ScriptCache
  /** Where clients connect; filled in as the listener starts. */
  readonly addresses: readonly (AddressInfo | string)[]
  readonly startedAtMs: number
  readonly lookout: Lookout
  readonly stats: Stats
  /** A shard has gone or is back. */
  readonly onShardChange: (name: string, up: boolean) => void
  readonly logger: Logger
}

export class Generation {
  readonly config: Config
  readonly shards: readonly Shard[]
  readonly topology: Topology<Shard>
  readonly dispatcher: Dispatcher
  readonly memory: ShardMemory
  readonly #learning: Learning
  readonly #ring: Ejecting<Shard> | undefined

  /** `earlier`: whose shards are taken over where their configuration is the same. */
  constructor(config: Config, shared: Shared, earlier?: Generation) {
    this.config = config
    shared.lookout.configure(config)
    this.#learning = learnFrom(config, shared)
    this.memory = memoryOf(config)
    this.shards = config.shards.map((shard, index) => {
      const opened = earlier?.shardLike(shard, config) ?? openShard(shard, config, shared)
      opened.onUpChange = (up) => {
        void this.#learning.shardIs(index, up)
        shared.onShardChange(shard.name, up)
      }
      return opened
    })
    this.#ring = config.ejectShards ? ejectingRing(config, shared, this.shards) : undefined
    this.topology = this.#ring ?? new RingTopology(placementOf(config), this.shards)
    this.dispatcher = openDispatcher(
      config,
      shared,
      this.shards,
      this.topology,
      () => this.#learning.greeting,
    )
    for (const [index, shard] of this.shards.entries()) {
      if (shard.lastUp !== undefined) void this.#learning.shardIs(index, shard.lastUp)
    }
  }

  /** The shard that a configuration would open again exactly as it is. */
  shardLike(shard: ShardConfig, config: Config): Shard | undefined {
    const wanted = identity(shard, config)
    const index = this.config.shards.findIndex((own) => identity(own, this.config) === wanted)
    return this.shards[index]
  }

  /** Every key has the shard that it has in `other`, reached in the same way. */
  placesAs(other: Generation): boolean {
    const rules = ({ hash, distribution, hashTag, byteSign, shards }: Config) => {
      const servers = shards.map(({ name, weight }) => [name, weight])
      return JSON.stringify([hash, distribution, hashTag, byteSign, servers])
    }
    const sameShards = this.shards.every((shard, index) => shard === other.shards[index])
    return sameShards && rules(this.config) === rules(other.config)
  }

  /** Asks shards nothing more of its own. */
  retire(): void {
    this.#learning.stop()
    this.memory.stop()
    this.#ring?.stop()
  }
}

/** All that decides how a shard is connected to. Holds a password and must never be shown. */
function identity({ weight: _, ...shard }: ShardConfig, config: Config): string {
  const { connectionsPerShard, connectTimeoutMs, requestTimeoutMs } = config
  const tls = shard.tls ? config.shardTls : undefined
  return JSON.stringify([shard, tls, connectionsPerShard, connectTimeoutMs, requestTimeoutMs])
}

function learnFrom(config: Config, { table, logger }: Shared): Learning {
  const addresses = config.shards.map((shard) => shardAddress(shard, config))
  return new Learning({
    table,
    shards: config.shards.map(({ name }) => name),
    read: (shard, signal) => {
      return readShardFacts(addresses[shard] as RedisAddress, controlOf(shard, config), signal)
    },
    logger,
  })
}

function memoryOf(config: Config): ShardMemory {
  const addresses = config.shards.map((shard) => shardAddress(shard, config))
  return new ShardMemory({
    shardCount: addresses.length,
    read: (shard, signal) => {
      return readUsedMemory(addresses[shard] as RedisAddress, controlOf(shard, config), signal)
    },
  })
}

function controlOf(shard: number, { shards, connectTimeoutMs }: Config): ControlOptions {
  const { username, password } = shards[shard] as ShardConfig
  return { username, password, timeoutMs: connectTimeoutMs }
}

/** The ring over some of the shards, by index; without `live` over all. */
function placementOf(config: Config, live?: readonly number[]): Placement {
  const { shards, hash, distribution, hashTag, byteSign } = config
  const servers = live?.map((index) => shards[index] as ShardConfig) ?? shards
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}

function ejectingRing(config: Config, shared: Shared, shards: readonly Shard[]): Ejecting<Shard> {
  const { lanes, clients, logger } = shared
  const ring = new Ejecting({
    shards,
    ringOf: (live) => placementOf(config, live),
    failureLimit: config.ejectAfterFailures,
    retryMs: config.ejectRetryMs,
    probe: (shard) => shard.probe(lanes.first),
    onChange: ({ name }, ejected) => {
      const facts = { shard: name }
      if (ejected) logger.warn(facts, 'shard ejected, its keys go to the others')
      else logger.info(facts, 'shard restored')
      // Channels have moved like keys: no message may be missed in silence.
      for (const client of clients.values()) {
        if (client.subscriptions?.inUse) client.session.destroy()
      }
    },
  })
  for (const [index, shard] of shards.entries()) {
    shard.onFailure = (answered) => ring.failed(index, answered)
  }
  return ring
}

function openDispatcher(
  config: Config,
  shared: Shared,
  shards: readonly Shard[],
  topology: Topology<Shard>,
  serverGreeting: () => Greeting,
): Dispatcher {
  const { table, lanes, clients, lookout } = shared
  const users = new EdgeUsers(config.password, config.users)
  const authenticate = users.required || config.authPassthrough
  const policy = { allowAdmin: config.allowAdmin }
  const sender = new Sender({ topology, shards, policy, lookout })
  const dispatcher = new Dispatcher({ table, sender, lanes, clients, authenticate, lookout })
  dispatcher.register(LOCAL_COMMANDS)
  dispatcher.register(clusterCommands(table))
  const passAuthThrough = config.authPassthrough
  dispatcher.register(handshakeCommands({ lanes, shards, users, passAuthThrough, serverGreeting }))
  const timeoutMs = requestTimeoutMs(config)
  const blocking = blockingCommands({ table, sender, lookout, requestTimeoutMs: timeoutMs })
  dispatcher.register(blocking)
  if (config.crossShardReads) {
    const reads = crossShardReads(sender, blocking, () => scoreFormat(serverGreeting()))
    dispatcher.register(reads, blocking)
  }
  const scripts = new Scripts(table, sender, shared.scripts)
  dispatcher.register(scripts.commands())
  dispatcher.register(killCommands(sender))
  dispatcher.register(transactionCommands({ sender, lanes, scripts }))
  const namesHaveShards = config.distribution !== 'random'
  dispatcher.register(subscriptionCommands({ sender, namesHaveShards }))
  // With AUTH passed through, only the shards know who their users are.
  const isUser = (name: string) => config.authPassthrough || users.has(name)
  dispatcher.register(clientCommands({ clients, sender, isUser }))
  dispatcher.register(reportCommands(sender))
  dispatcher.register(debugCommand(sender))
  dispatcher.register(commandCommands(table, sender))
  dispatcher.register(scanCommands(sender))
  dispatcher.register(randomKeyCommands(sender))
  dispatcher.register(pubsubIntrospection(sender, clients))
  registerSelfDescription(config, shared, dispatcher, sender)
  dispatcher.assertComplete()
  return dispatcher
}

/** INFO, CONFIG GET and AMBASSADOR, which tell clients where they are connected. */
function registerSelfDescription(
  config: Config,
  { addresses, startedAtMs, clients, lanes, table, lookout }: Shared,
  dispatcher: Dispatcher,
  sender: Sender,
): void {
  const { maxClients, clientIdleTimeoutMs } = config
  const version = packageVersion()
  const identity = { version, environment: config.environment.name, startedAtMs }
  const tcp = () => addresses.find((address) => typeof address === 'object')
  const port = () => tcp()?.port ?? 0
  const own = () => ({
    port: `${port()}`,
    bind: tcp()?.address ?? '',
    maxclients: `${maxClients}`,
    // In seconds; less than one must not look like never.
    timeout: `${Math.ceil(clientIdleTimeoutMs / 1000)}`,
  })
  const facts = { clients, shards: sender.shards, lanes, table }
  dispatcher.register(infoCommands({ sender, facts, identity, maxClients, port }))
  dispatcher.register(configCommands({ sender, own }))
  const settings = settingTexts(config)
  // Where the shards judge, one user may not know the keys of another.
  const tellsKeys = !config.authPassthrough
  dispatcher.register(ambassadorCommands({ sender, facts, lookout, identity, settings, tellsKeys }))
}

function requestTimeoutMs(config: Config): number {
  return config.requestTimeoutMs === 0 ? Number.POSITIVE_INFINITY : config.requestTimeoutMs
}

function openShard(shard: ShardConfig, config: Config, shared: Shared): Shard {
  const { turn, lanes, lookout, stats, logger } = shared
  const { name, database, username, password } = shard
  const options = {
    name,
    address: shardAddress(shard, config),
    database,
    credentials: password === undefined ? undefined : { username, password },
    connections: config.connectionsPerShard,
    connectTimeoutMs: config.connectTimeoutMs,
    requestTimeoutMs: requestTimeoutMs(config),
    turn,
    stats: stats.shard(name),
    latencies: stats.latencies,
    logger,
    lookout,
  }
  return new Shard(options, lanes.first)
}
