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
import type { Config, ShardConfig } from './config/config.ts'
import { Dispatcher } from './dispatcher/dispatcher.ts'
import { LocalCommands } from './dispatcher/local.ts'
import { Listener } from './downstream/listener.ts'
import { Turn } from './io/turn.ts'
import type { Logger } from './logger.ts'
import { Placement } from './routing/placement.ts'
import { Shard } from './upstream/shard.ts'

export interface Ambassador {
  /** Where clients connect: TCP address and port, or the path of a unix socket. */
  readonly addresses: readonly (AddressInfo | string)[]
  /** Stops accepting, answers what is in flight, closes all connections. */
  stop(): Promise<void>
}

/**
 * Starts an ambassador and resolves once it accepts clients. Shards that are down do not delay it.
 * Rejects with the system's error when an address cannot be listened on.
 */
export async function startAmbassador(config: Config, logger: Logger): Promise<Ambassador> {
  const turn = new Turn()
  const shards = config.shards.map((shard) => openShard(shard, config, turn, logger))
  const dispatcher = new Dispatcher({
    table: new CommandTable(),
    topology: new Placement({
      servers: config.shards,
      hash: config.hash,
      distribution: config.distribution,
      hashTag: config.hashTag,
      byteSign: config.byteSign,
    }),
    shards,
    local: new LocalCommands(config.password),
  })
  const listener = new Listener({
    handler: dispatcher,
    turn,
    maxClients: config.maxClients,
    authenticate: config.password !== undefined,
  })
  for (const shard of shards) shard.connect()
  const addresses: (AddressInfo | string)[] = []
  for (const address of config.listen) addresses.push(await listener.listen(address))
  return {
    addresses,
    async stop() {
      listener.stopAccepting()
      await listener.drain(config.drainTimeoutMs)
      for (const shard of shards) shard.close()
    },
  }
}

function openShard(shard: ShardConfig, config: Config, turn: Turn, logger: Logger): Shard {
  const address: NetConnectOpts =
    shard.path === undefined ? { host: shard.host, port: shard.port } : { path: shard.path }
  const { requestTimeoutMs } = config
  return new Shard({
    name: shard.name,
    address,
    lane: {
      protocol: 2,
      database: shard.database,
      username: shard.username,
      password: shard.password,
    },
    connections: config.connectionsPerShard,
    connectTimeoutMs: config.connectTimeoutMs,
    requestTimeoutMs: requestTimeoutMs === 0 ? Number.POSITIVE_INFINITY : requestTimeoutMs,
    turn,
    logger,
  })
}
