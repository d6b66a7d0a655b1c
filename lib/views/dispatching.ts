/** The dispatcher of one view, with all its commands. */
import type { AddressInfo } from 'node:net'
import type { Config, PoolConfig } from '../config/config.ts'
import { packageVersion } from '../config/package-directory.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import { settingTexts } from '../config/setting-texts.ts'
import { scoreFormat } from '../control/greeting.ts'
import { blockingCommands } from '../dispatcher/blocking/blocking.ts'
import { Desk } from '../dispatcher/colleagues/desk.ts'
import type { Client } from '../dispatcher/core/client.ts'
import { Dispatcher, type SpecialCommands } from '../dispatcher/core/dispatcher.ts'
import { Sender, type Target } from '../dispatcher/core/sender.ts'
import { clientCommands } from '../dispatcher/edge/client-commands.ts'
import { EdgeUsers } from '../dispatcher/edge/edge-users.ts'
import { handshakeCommands } from '../dispatcher/edge/handshake-commands.ts'
import { killCommands } from '../dispatcher/edge/kill-commands.ts'
import { leaseTwins } from '../dispatcher/edge/lease-twin.ts'
import { clusterCommands, LOCAL_COMMANDS } from '../dispatcher/edge/local-commands.ts'
import { everyKeyCommands } from '../dispatcher/keyspace/every-key.ts'
import { randomKeyCommands } from '../dispatcher/keyspace/random-key.ts'
import { scanCommands } from '../dispatcher/keyspace/scan.ts'
import { Mirroring } from '../dispatcher/mirror/mirroring.ts'
import { publishCommands } from '../dispatcher/pubsub/publish.ts'
import { pubsubIntrospection } from '../dispatcher/pubsub/pubsub-introspection.ts'
import { subscriptionCommands } from '../dispatcher/pubsub/subscription-commands.ts'
import { crossShardReads } from '../dispatcher/reads/cross-shard.ts'
import { ambassadorCommands } from '../dispatcher/reports/ambassador-commands.ts'
import type { FactSources, Identity } from '../dispatcher/reports/ambassador-facts.ts'
import { commandCommands } from '../dispatcher/reports/command-commands.ts'
import {
  configCommands,
  type OwnSettings,
  refusedSetting,
} from '../dispatcher/reports/config-get.ts'
import { debugCommand } from '../dispatcher/reports/debug-command.ts'
import { infoCommands } from '../dispatcher/reports/info.ts'
import { reportCommands } from '../dispatcher/reports/report-commands.ts'
import { Scripts } from '../dispatcher/scripts/scripts.ts'
import { transactionCommands } from '../dispatcher/transactions/transaction-commands.ts'
import { CROSS_SHARD_READS_BYTES_MAX } from '../limits.ts'
import { requestTimeoutMs } from '../pool/member.ts'
import { mirroredPlaces } from '../pool/mirror/mirrored-places.ts'
import type { Pools } from '../pool/pools.ts'
import type { PoolTopology } from '../pool/router/pool-topology.ts'
import type { Router } from '../pool/router/router.ts'
import type { Shard } from '../upstream/shard.ts'
import type { Entrance } from './entrance.ts'
import { replicaReadsOf } from './replica-reading.ts'
import { shareOf } from './seat.ts'
import type { Shared } from './shared.ts'

export interface DispatchingOptions {
  readonly config: Config
  readonly shared: Shared
  readonly entrance: Entrance
  /** Those behind the entrance. */
  readonly pools: readonly [PoolTopology, ...PoolTopology[]]
  readonly router: Router
  /** The shards of a database, if these depend on it. */
  readonly shardsOf?: ((database: number | undefined) => readonly Shard[]) | undefined
  /** The pools that are sent copies, by name. */
  readonly mirrors: ReadonlyMap<string, PoolTopology>
  /** What holds in every database; undefined: this view has it itself. */
  readonly common?: Common
}

/** Channels, and whatever else is not a database's. */
export interface Common {
  readonly sender: Sender
  readonly pubsub: SpecialCommands
}

/** All commands, over the pools behind one entrance. */
export function openDispatcher(options: DispatchingOptions): {
  readonly dispatcher: Dispatcher
  readonly common: Common
  readonly desk: Desk
} {
  const { config, shared, entrance, router } = options
  const { pools, table, lanes, clients, lookout } = shared
  const viewed = options.pools.map((pool) => pool.config)
  const serverGreeting = () => pools.learning.greeting
  const { edge } = config
  const users = new EdgeUsers(passwordOf(options), edge.users ?? [])
  const authenticate = users.required || edge.authPassthrough
  const sending = { ...router, policy: { allowAdmin: edge.allowAdmin }, lookout }
  const near = shared.nearCaching.cache
  const sender = new Sender({ ...sending, near })
  const scripts = new Scripts(sender, shared.scripts)
  const { blocking, combinedBy } = readsOf(options, sender)
  const reads = replicaReadsOf(viewed, shared, sending, sender, (readers) => {
    return { ...combinedBy(readers), ...scripts.reads(readers) }
  })
  const mirroring = mirroringOf(options, scripts)
  const way = mirroring?.behind(reads ?? sender) ?? reads ?? sender
  const dispatching = { table, sender: way, lanes, clients, authenticate, near }
  const dispatcher = new Dispatcher({ ...dispatching, inHand: shared.stats.inHand })
  dispatcher.register(LOCAL_COMMANDS)
  dispatcher.register(clusterCommands(table))
  const passAuthThrough = edge.authPassthrough
  dispatcher.register(
    handshakeCommands({ ...arrivalsOf(options), lanes, users, passAuthThrough, serverGreeting }),
  )
  dispatcher.register(blocking)
  dispatcher.register(combinedBy(sender), blocking)
  dispatcher.register(scripts.commands())
  dispatcher.register(killCommands(sender))
  dispatcher.register(transactionsOver(options, { dispatcher, sender, scripts, users }))
  const common = options.common ?? commonOf(sender, entrance)
  dispatcher.register(common.pubsub)
  dispatcher.register(everyKeyCommands(sender, common.sender))
  // With AUTH passed through, only the shards know who their users are.
  const isUser = (name: string) => edge.authPassthrough || users.has(name)
  const { clients: own, pool } = entrance
  const ofClients = { clients: own, pool, others: shared.seat?.colleagues, sender, isUser }
  dispatcher.register(clientCommands(ofClients))
  dispatcher.register(reportCommands(sender))
  dispatcher.register(debugCommand(sender))
  dispatcher.register(commandCommands(table, sender))
  dispatcher.register(
    scanCommands({ sender, nameOf: namesOf(viewed, pools), isPlain: !pools.hasHadSeveral }),
  )
  dispatcher.register(randomKeyCommands(sender))
  const described = describeSelf(options, dispatcher, sender)
  dispatcher.assertComplete()
  if (reads !== undefined) dispatcher.precede((row, command) => reads.before(row, command))
  dispatcher.precede((row, command) => mirroring?.after(row, command))
  return { dispatcher, common, desk: new Desk({ ...ofClients, ...described, lookout }) }
}

/** Undefined where no pool has a mirror, so that such a configuration pays nothing. */
function mirroringOf(options: DispatchingOptions, scripts: Scripts): Mirroring | undefined {
  const { config, shared, pools, router, mirrors } = options
  const countsOf = (pool: string) => shared.mirrors.countsOf(pool)
  const places = mirroredPlaces(pools, config.routes, mirrors, countsOf)
  if (places === undefined) return undefined
  return new Mirroring({ ...places, served: router.topology, policy: config.edge, scripts })
}

interface Parts {
  readonly dispatcher: Dispatcher
  readonly sender: Sender
  readonly scripts: Scripts
  readonly users: EdgeUsers
}

function transactionsOver(options: DispatchingOptions, parts: Parts): SpecialCommands {
  const { config, shared, pools } = options
  const { dispatcher, sender, scripts, users } = parts
  const { authPassthrough, transactions } = config.edge
  return transactionCommands({
    ...{ sender, scripts, lanes: shared.lanes, inHand: shared.stats.inHand },
    replies: shared.execReplies,
    leaseTwin: leaseTwins(users, authPassthrough),
    execute: (client, request, row) => dispatcher.execute(client, request, row),
    splits: transactions === 'split',
    refusedSetting: (request, row) => refusedSetting(request, row, ownSettings(options)),
    // The pool is known only at EXEC.
    requestTimeoutMs: Math.max(...pools.map((pool) => requestTimeoutMs(pool.config))),
  })
}

/** Clients go from one database to another, whose shards may be others. */
function arrivalsOf({ shared, router, shardsOf }: DispatchingOptions) {
  return {
    shardsOf: shardsOf ?? (() => router.shards()),
    arrived: (client: Client) => {
      if (shardsOf !== undefined) client.follow(shared.deciderFor(client))
    },
  }
}

/** The default user's. An address that leads to one pool may ask for another one than the others. */
function passwordOf({ config, entrance, pools: [pool] }: DispatchingOptions): string | undefined {
  const own = entrance.pool === undefined ? undefined : pool?.config.clientPassword
  return own ?? config.edge.password
}

function commonOf(sender: Sender, { subscriptions }: Entrance): Common {
  const pubsub = {
    ...subscriptionCommands(subscriptions),
    ...publishCommands(sender, subscriptions),
    ...pubsubIntrospection(sender, subscriptions),
  }
  return { sender, pubsub }
}

/** Blocking commands, and reads that combine keys of several shards. */
function readsOf({ config: { edge }, shared, entrance }: DispatchingOptions, sender: Sender) {
  const { table, lookout, pools, stats } = shared
  const blocking = blockingCommands({
    table,
    sender,
    lookout,
    waits: entrance.waits,
    stats,
    combines: edge.crossShardReads,
  })
  const format = () => scoreFormat(pools.learning.greeting)
  const bytesMax = shareOf(CROSS_SHARD_READS_BYTES_MAX, shared.seat)
  const combinedBy = <T extends Target>(way: Sender<T>): SpecialCommands => {
    return edge.crossShardReads ? crossShardReads(way, blocking, format, bytesMax) : {}
  }
  return { blocking, combinedBy }
}

/** The data set of a shard, by a name that it has in every ambassador that is configured alike. */
function namesOf(viewed: readonly PoolConfig[], pools: Pools): (shard: Shard) => string {
  const names = new Map<Shard, string>()
  for (const { name: pool, shards, cluster } of viewed) {
    if (cluster !== undefined) continue
    const own = pools.named(pool)?.shards ?? []
    for (const [at, { name, host, port, path, sentinel, database }] of shards.entries()) {
      const place = [name, host, port, path, sentinel?.master, database]
      const data = pool === DEFAULT_POOL ? place : [...place, pool]
      names.set(own[at] as Shard, JSON.stringify(data))
    }
  }
  return (shard) => names.get(shard) ?? shard.name
}

/** What CONFIG GET tells of the ambassador in place of the shards' own. */
function ownSettings({ config, entrance }: DispatchingOptions): OwnSettings {
  const { maxClients, clientIdleTimeoutMs } = config.edge
  const addresses = tcp(entrance)
  return {
    port: `${addresses[0]?.port ?? 0}`,
    bind: [...new Set(addresses.map(({ address }) => address))].join(' '),
    maxclients: `${maxClients}`,
    // In seconds; less than one must not look like never.
    timeout: `${Math.ceil(clientIdleTimeoutMs / 1000)}`,
  }
}

function tcp({ addresses }: Entrance): AddressInfo[] {
  return addresses.filter((address) => typeof address === 'object')
}

/** Registers INFO, CONFIG GET and AMBASSADOR, which tell clients where they are connected; and says what of. */
function describeSelf(
  options: DispatchingOptions,
  dispatcher: Dispatcher,
  sender: Sender,
): { readonly facts: FactSources; readonly identity: Identity } {
  const { config, shared, entrance } = options
  const { clients, pool } = entrance
  const { startedAtMs, lanes, table, lookout } = shared
  const { nearCaching, rehearsals, stats } = shared
  const { maxClients, authPassthrough } = config.edge
  const version = packageVersion()
  const identity = { version, environment: config.process.environment.name, startedAtMs }
  const port = () => tcp(entrance)[0]?.port ?? 0
  const own = () => ownSettings(options)
  const near = { near: nearCaching.cache, nearStats: stats.nearCache }
  const mirrors = () => shared.mirrors.states
  const facts = { clients, shards: () => sender.shards, lanes, table, mirrors, ...near }
  const asked = { pool, others: shared.seat?.colleagues }
  dispatcher.register(infoCommands({ sender, facts, identity, maxClients, port, ...asked }))
  dispatcher.register(configCommands({ sender, own }))
  const settings = settingTexts(config)
  // With AUTH passed through, one user may not learn the keys of another.
  const tellsKeys = !authPassthrough
  const preflight = () => rehearsals.current?.rehearsal.report(tellsKeys)
  const about = { lookout, identity, settings, tellsKeys, preflight }
  dispatcher.register(ambassadorCommands({ sender, facts, ...about, ...asked }))
  return { facts, identity }
}
