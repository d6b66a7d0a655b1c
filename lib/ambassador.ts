/**
 * Builds the rooms and wires them.
 *
 *   client sockets                                                         shard sockets
 *        |  ^                                                                  ^  |
 *        v  |                                                                  |  v
 *   Listener, Session  --request-->  Dispatcher  --fragment-->  Shard, ShardConnection
 *   RequestScanner                   CommandTable                 Outbox, Fifo
 *   ReplyQueue, Outbox <--reply----  Topology (ring), FanOut  <-- ReplyCutter
 */
import type { AddressInfo, NetConnectOpts } from 'node:net'
import { CommandTable } from './commands/lookup.ts'
import { builtInCommands } from './commands/table.ts'
import type { Config, ShardConfig } from './config/config.ts'
import { packageVersion } from './config/package-directory.ts'
import { settingTexts } from './config/setting-texts.ts'
import { ambassadorCommands } from './dispatcher/ambassador-commands.ts'
import { blockingCommands } from './dispatcher/blocking.ts'
import { clientCommands } from './dispatcher/client-commands.ts'
import { commandCommands } from './dispatcher/command-commands.ts'
import { configCommands } from './dispatcher/config-get.ts'
import { crossShardReads } from './dispatcher/cross-shard.ts'
import { Dispatcher } from './dispatcher/dispatcher.ts'
import { EdgeUsers } from './dispatcher/edge-users.ts'
import { handshakeCommands } from './dispatcher/handshake-commands.ts'
import { infoCommands } from './dispatcher/info.ts'
import { killCommands } from './dispatcher/kill-commands.ts'
import { LOCAL_COMMANDS } from './dispatcher/local-commands.ts'
import { pubsubIntrospection } from './dispatcher/pubsub-introspection.ts'
import { randomKeyCommands } from './dispatcher/random-key.ts'
import { reportCommands } from './dispatcher/report-commands.ts'
import { scanCommands } from './dispatcher/scan.ts'
import { Scripts } from './dispatcher/scripts.ts'
import { subscriptionCommands } from './dispatcher/subscription-commands.ts'
import { transactionCommands } from './dispatcher/transaction.ts'
import { Listener } from './downstream/listener.ts'
import { Turn } from './io/turn.ts'
import type { Logger } from './logger.ts'
import { Placement } from './routing/placement.ts'
import { readShardFacts } from './topology/control.ts'
import { Learning } from './topology/learning.ts'
import { Lanes } from './upstream/lane.ts'
import { Shard, type ShardOptions } from './upstream/shard.ts'

export interface Ambassador {
  /** Where clients connect: TCP address and port, or the path of a unix socket. */
  readonly addresses: readonly (AddressInfo | string)[]
  /** What is under way now; all zero when everybody has left. */
  readonly gauges: Gauges
  /** Stops accepting, answers what is in flight, closes all connections. */
  stop(): Promise<void>
}

export interface Gauges {
  readonly clients: number
  /** Requests sent over shared shard connections and not answered, tombstones included. */
  readonly inFlight: number
  /** Dedicated shard connections in use; idle ones do not count. */
  readonly leases: number
  /** Channels and patterns subscribed on shards, each once however many clients have it. */
  readonly topics: number
}

/**
 * Starts an ambassador and resolves once it accepts clients. Shards that are down do not delay it.
 * Rejects with the system's error when an address cannot be listened on.
 */
export async function startAmbassador(config: Config, logger: Logger): Promise<Ambassador> {
  const turn = new Turn()
  const lanes = new Lanes((lane) => {
    for (const shard of shards) shard.closeLane(lane)
  })
  const shards = config.shards.map((shard, index) => {
    const onUpChange = (up: boolean): void => void learning.shardIs(index, up)
    return new Shard({ ...shardOptions(shard, config, turn, logger), onUpChange }, lanes.first)
  })
  const table = new CommandTable(builtInCommands())
  const learning = learnFrom(config, table, logger)
  const dispatcher = openDispatcher(config, table, shards, lanes, () => learning.version)
  const addresses: (AddressInfo | string)[] = []
  registerSelfDescription(config, dispatcher, addresses)
  dispatcher.assertComplete()
  const listener = new Listener({
    serve: (session) => dispatcher.serve(session),
    turn,
    maxClients: config.maxClients,
  })
  try {
    for (const address of config.listen) addresses.push(await listener.listen(address))
  } catch (error) {
    // An embedding program goes on, and nothing of ours may stay behind in it.
    listener.stopAccepting()
    learning.stop()
    for (const shard of shards) shard.close()
    throw error
  }
  return {
    addresses,
    get gauges() {
      return gaugesOf(dispatcher)
    },
    async stop() {
      listener.stopAccepting()
      learning.stop()
      await listener.drain(config.drainTimeoutMs)
      for (const shard of shards) shard.close()
    },
  }
}

function gaugesOf({ clients, shards }: Dispatcher): Gauges {
  const sum = (of: (shard: Shard) => number) => shards.reduce((total, each) => total + of(each), 0)
  return {
    clients: clients.size,
    inFlight: sum((shard) => shard.inFlight),
    leases: sum((shard) => shard.leased),
    topics: sum((shard) => shard.topics),
  }
}

function learnFrom(config: Config, table: CommandTable, logger: Logger): Learning {
  return new Learning({
    table,
    shards: config.shards.map(({ name }) => name),
    read: (shard, signal) => {
      const { host, port, path, username, password } = config.shards[shard] as ShardConfig
      const address = path === undefined ? { host, port } : { path }
      const options = { username, password, timeoutMs: config.connectTimeoutMs }
      return readShardFacts(address, options, signal)
    },
    logger,
  })
}

function openDispatcher(
  config: Config,
  table: CommandTable,
  shards: readonly Shard[],
  lanes: Lanes,
  serverVersion: () => string,
): Dispatcher {
  const users = new EdgeUsers(config.password, config.users)
  const dispatcher = new Dispatcher({
    table,
    topology: new Placement({
      servers: config.shards,
      hash: config.hash,
      distribution: config.distribution,
      hashTag: config.hashTag,
      byteSign: config.byteSign,
    }),
    shards,
    lanes,
    authenticate: users.required || config.authPassthrough,
    allowAdmin: config.allowAdmin,
  })
  dispatcher.register(LOCAL_COMMANDS)
  dispatcher.register(
    handshakeCommands({
      dispatcher,
      users,
      passAuthThrough: config.authPassthrough,
      serverVersion,
    }),
  )
  const blocking = blockingCommands(dispatcher, requestTimeoutMs(config))
  dispatcher.register(blocking)
  if (config.crossShardReads) dispatcher.register(crossShardReads(dispatcher, blocking))
  const scripts = new Scripts(dispatcher)
  dispatcher.register(scripts.commands())
  dispatcher.register(killCommands(dispatcher))
  dispatcher.register(transactionCommands(dispatcher, scripts))
  const namesHaveShards = config.distribution !== 'random'
  dispatcher.register(subscriptionCommands({ dispatcher, namesHaveShards }))
  // With AUTH passed through, only the shards know who their users are.
  const isUser = (name: string) => config.authPassthrough || users.has(name)
  dispatcher.register(clientCommands({ dispatcher, isUser }))
  dispatcher.register(reportCommands(dispatcher))
  dispatcher.register(commandCommands(dispatcher))
  dispatcher.register(scanCommands(dispatcher))
  dispatcher.register(randomKeyCommands(dispatcher))
  dispatcher.register(pubsubIntrospection(dispatcher))
  return dispatcher
}

/** INFO, CONFIG GET and AMBASSADOR, which tell clients where they are connected. */
function registerSelfDescription(
  config: Config,
  dispatcher: Dispatcher,
  addresses: Ambassador['addresses'],
): void {
  const { maxClients } = config
  const version = packageVersion()
  const identity = { version, environment: config.environment.name, startedAtMs: Date.now() }
  const tcp = () => addresses.find((address) => typeof address === 'object')
  const port = () => tcp()?.port ?? 0
  const own = () => ({
    port: `${port()}`,
    bind: tcp()?.address ?? '',
    maxclients: `${maxClients}`,
    // Idle clients are never closed.
    timeout: '0',
  })
  dispatcher.register(infoCommands({ dispatcher, identity, maxClients, port }))
  dispatcher.register(configCommands({ dispatcher, own }))
  const settings = settingTexts(config)
  dispatcher.register(ambassadorCommands({ dispatcher, identity, settings }))
}

function requestTimeoutMs(config: Config): number {
  return config.requestTimeoutMs === 0 ? Number.POSITIVE_INFINITY : config.requestTimeoutMs
}

function shardOptions(
  shard: ShardConfig,
  config: Config,
  turn: Turn,
  logger: Logger,
): ShardOptions {
  const { name, host, port, path, database, username, password } = shard
  const address: NetConnectOpts = path === undefined ? { host, port } : { path }
  return {
    name,
    address,
    database,
    credentials: password === undefined ? undefined : { username, password },
    connections: config.connectionsPerShard,
    connectTimeoutMs: config.connectTimeoutMs,
    requestTimeoutMs: requestTimeoutMs(config),
    turn,
    logger,
  }
}
