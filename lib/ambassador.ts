/**
 * Builds the rooms and wires them.
 *
 *   client sockets                                                         shard sockets
 *        |  ^                                                                  ^  |
 *        v  |                                                                  |  v
 *   Listener, Session  --request-->  Dispatcher  --fragment-->  Shard, ShardConnection
 *   RequestScanner                   Sender: Plan, Topology       Outbox, Fifo
 *   ReplyQueue, Outbox <--reply----  Collector                <-- ReplyCutter
 */
import type { AddressInfo } from 'node:net'
import type { AdminServer } from './admin/admin-server.ts'
import type { Snapshot } from './admin/pages/snapshot.ts'
import type { Steering } from './admin/steering.ts'
import { CommandTable } from './commands/lookup.ts'
import { builtInCommands } from './commands/table.ts'
import type { Config } from './config/config.ts'
import { actualText } from './config/values/address.ts'
import type { Answers, Kind, Question } from './dispatcher/colleagues/colleagues.ts'
import type { Client } from './dispatcher/core/client.ts'
import { IdleClients } from './dispatcher/edge/idle-clients.ts'
import { ScriptCache } from './dispatcher/scripts/script-cache.ts'
import { ExecReplies } from './dispatcher/transactions/exec/exec-replies.ts'
import { Listener } from './downstream/listener.ts'
import { Generation } from './generation.ts'
import { Turn } from './io/turn.ts'
import { EXEC_REPLIES_BYTES_MAX, FIRST_MAP_MS, SCRIPT_BYTES_MAX, SCRIPTS_MAX } from './limits.ts'
import { LimitedLogger } from './log-limit.ts'
import type { Logger } from './logger.ts'
import { Mirrors } from './pool/mirror/mirrors.ts'
import { NearCaching } from './pool/near-caching.ts'
import { Pools } from './pool/pools.ts'
import { Rehearsals } from './pool/to-come/rehearsals.ts'
import { Lookout } from './stats/lookout/lookout.ts'
import type { PreflightReport } from './stats/preflight/rehearsal.ts'
import { Stats } from './stats/stats.ts'
import { Lanes } from './upstream/lane.ts'
import { closeEntrance, entranceTo, openEntrances } from './views/entrance.ts'
import { assertEntrancesLead } from './views/entrances-lead.ts'
import { type Gauges, gaugesOf } from './views/gauges.ts'
import { type Seat, shareOf } from './views/seat.ts'
import type { Shared } from './views/shared.ts'
import { snapshotOf } from './views/snapshot-of.ts'

export type { ReloadOutcome, Steering } from './admin/steering.ts'
export type { Gauges } from './views/gauges.ts'

/** What runs, whatever it is configured by. */
export interface Running {
  /** Where clients connect. `localhost` makes two addresses with one port; a text is a unix socket's path. */
  readonly addresses: readonly (AddressInfo | string)[]
  /** The first address of the admin endpoint; undefined when it is off. */
  readonly adminAddress: AddressInfo | string | undefined
  /** All addresses for clients and of the admin endpoint, as a configuration writes addresses. */
  readonly listening: { readonly clients: readonly string[]; readonly admin: readonly string[] }
  /** What is under way now. All are zero once every client has left. */
  readonly gauges: Gauges
  /** What the configuration that `whatIf` names would do with the requests so far; undefined without it. */
  readonly preflight: PreflightReport | undefined
  /** Sets what POST /reload and POST /drain do. Both are refused until this is called. */
  steerBy(steering: Steering): void
  /** Stops accepting clients, answers the requests in flight, then closes all connections. */
  stop(): Promise<void>
}

/** A running ambassador. */
export interface Ambassador extends Running {
  /**
   * Goes on with another configuration, at once for new requests; requests in flight finish where they were
   * sent. Connections to shards whose configuration has not changed stay open, and so do clients, except
   * subscribers of channels that may have moved: they are closed, so that they subscribe again. No address
   * changes. Throws ConfigError, and changes nothing, when a pool is gone to which an address leads.
   */
  reload(config: Config): void
  /** Counts a configuration that could not be used, so that /metrics shows it. */
  reloadFailed(): void
  /** What the admin pages show. */
  readonly snapshot: Snapshot
  /** Answers another worker. */
  answer<K extends Kind>(question: Question<K>, done: (answer: Answers[K]) => void): void
}

/**
 * Starts an ambassador and resolves once it accepts clients. Shards that are down do not delay it.
 * Rejects with the system's error when an address cannot be listened on. `seat`: it is one of several workers, so
 * somebody else has the admin endpoint.
 */
export async function startAmbassador(
  config: Config,
  logger: Logger,
  seat?: Seat,
): Promise<Ambassador> {
  const ambassador = new RunningAmbassador(config, logger, seat)
  await ambassador.listen()
  return ambassador
}

class RunningAmbassador implements Ambassador {
  readonly addresses: (AddressInfo | string)[] = []
  readonly #clientTexts: string[] = []
  readonly #logger: LimitedLogger
  readonly #shared: Shared
  readonly #listener: Listener
  readonly #idleClients: IdleClients
  #generation: Generation
  #admin: AdminServer | undefined
  #steering: Steering | undefined
  #draining = false

  constructor(config: Config, log: Logger, seat: Seat | undefined) {
    const logger = new LimitedLogger(log)
    this.#logger = logger
    const turn = new Turn()
    const stats = new Stats(turn)
    const table = new CommandTable(builtInCommands())
    const nameOf = (command: number) => table.rows()[command]?.name ?? 'unknown'
    const idsFrom = seat?.idsAbove ?? 0
    const parts = {
      ...{ turn, table, logger },
      lanes: new Lanes((lane) => {
        pools.closeLane(lane)
        mirrors.closeLane(lane)
      }),
      lookout: new Lookout({ inHand: stats.inHand, nameOf, clock: () => turn.now(), idsFrom }),
    }
    const onShardChange = (name: string, up: boolean) => {
      seat?.shardChanged(name, up)
      this.#admin?.shardChanged(name, up)
    }
    const pools = new Pools({ ...parts, stats, onShardChange })
    const mirrors = new Mirrors(parts)
    const clients = new Map<number, Client>()
    const slotsOf = (pool: string) => pools.named(pool)?.cluster?.topology
    const busy = () => [...clients.values()].filter(isBusy)
    this.#shared = {
      ...parts,
      ...{ pools, mirrors, stats, clients },
      nearCaching: new NearCaching({ turn, stats, logger, busy, slotsOf }),
      rehearsals: new Rehearsals(nameOf, () => mirrors.states),
      deciderFor: (client) => this.#generation.deciderFor(client),
      scripts: new ScriptCache(SCRIPTS_MAX, shareOf(SCRIPT_BYTES_MAX, seat)),
      execReplies: new ExecReplies(shareOf(EXEC_REPLIES_BYTES_MAX, seat)),
      entrances: openEntrances(config, clients, logger, seat),
      startedAtMs: seat?.startedAtMs ?? Date.now(),
      seat,
    }
    this.#generation = this.#nextGeneration(config)
    this.#listener = this.#openListener()
    this.#useTls(config)
    this.#shared.stats.start()
    this.#idleClients = new IdleClients(this.#shared.clients)
    this.#idleClients.limit(config.edge.clientIdleTimeoutMs)
  }

  #openListener(): Listener {
    const { seat, turn, stats } = this.#shared
    const edge = () => this.#generation.config.edge
    return new Listener({
      serve: (session, pool) => this.#generation.serve(session, pool),
      ...{ turn, stats },
      idsAbove: seat?.idsAbove ?? 0,
      sharesAddresses: seat !== undefined,
      maxClients: () => shareOf(edge().maxClients, seat),
      clientBytesMax: () => shareOf(edge().maxClientMemoryMb * 1024 * 1024, seat),
      logger: this.#logger,
    })
  }

  async listen(): Promise<void> {
    try {
      await this.#shared.pools.mapsKnown(FIRST_MAP_MS)
      const { listen } = this.#generation.config.edge
      for (const { wanted, actual } of await this.#listener.listen(listen)) {
        this.addresses.push(actual)
        entranceTo(wanted.pool, this.#shared.entrances).addresses.push(actual)
        this.#clientTexts.push(actualText(wanted, actual))
      }
      await this.#listenAdmin()
    } catch (error) {
      // An embedding program goes on; nothing of ours may stay behind in it.
      this.#listener.stopAccepting()
      await this.#listener.drain(0)
      this.#close()
      throw error
    }
  }

  get adminAddress(): AddressInfo | string | undefined {
    return this.#admin?.addresses[0]
  }

  get listening(): Ambassador['listening'] {
    const { adminListen } = this.#generation.config.watch
    const admin = this.#admin?.addresses ?? []
    return {
      clients: this.#clientTexts,
      admin: adminListen === 'off' ? [] : admin.map((each) => actualText(adminListen, each)),
    }
  }

  get preflight(): PreflightReport | undefined {
    return this.#shared.rehearsals.current?.rehearsal.report()
  }

  get snapshot(): Snapshot {
    return snapshotOf(this.#generation, this.#shared, this.#draining)
  }

  answer<K extends Kind>(question: Question<K>, done: (answer: Answers[K]) => void): void {
    const pool = 'pool' in question ? question.pool : undefined
    this.#generation.deskOf(pool).answer(question, done)
  }

  get gauges(): Gauges {
    return gaugesOf(this.#shared.clients, this.#generation.shards)
  }

  reload(config: Config): void {
    assertEntrancesLead(this.#shared.entrances, config)
    const earlier = this.#generation
    const generation = this.#nextGeneration(config)
    this.#generation = generation
    this.#countReload(true)
    this.#shared.stats.keepShards(this.#shared.pools.shardNames)
    this.#useTls(config)
    this.#idleClients.limit(config.edge.clientIdleTimeoutMs)
    earlier.retire()
    for (const client of this.#shared.clients.values()) client.moveTo(generation.deciderFor(client))
  }

  #nextGeneration(config: Config): Generation {
    this.#shared.pools.configure(config.pools, config.process.drainTimeoutMs)
    this.#shared.mirrors.configure(config)
    this.#shared.nearCaching.configure(config.pools)
    this.#shared.lookout.configure(config.watch)
    this.#shared.rehearsals.configure(config)
    const generation = new Generation(config, this.#shared)
    generation.followShards()
    return generation
  }

  steerBy(steering: Steering): void {
    this.#steering = steering
  }

  reloadFailed(): void {
    this.#countReload(false)
  }

  #countReload(succeeded: boolean): void {
    const { reloads } = this.#shared.stats
    reloads[succeeded ? 'succeeded' : 'failed']++
    reloads.lastSucceeded = succeeded
    this.#admin?.reloaded(succeeded)
  }

  async #listenAdmin(): Promise<void> {
    const { adminListen } = this.#generation.config.watch
    if (adminListen === 'off' || this.#shared.seat !== undefined) return
    // Loaded only when needed: most programs that embed us have no use for the HTTP server.
    const { openOwnSite } = await import('./admin/own-site.ts')
    this.#admin = await openOwnSite(
      adminListen,
      () => this.snapshot,
      () => this.#steering,
    )
  }

  #useTls({ edge: { tlsCert, tlsKey, tlsCa } }: Config): void {
    if (tlsCert === undefined || tlsKey === undefined) return
    const authorities = tlsCa?.text
    this.#listener.useTls({ certificate: tlsCert.text, key: tlsKey.text, authorities })
  }

  async stop(): Promise<void> {
    this.#draining = true
    this.#listener.stopAccepting()
    this.#shared.pools.stopAsking()
    this.#shared.mirrors.stopAsking()
    await this.#listener.drain(this.#generation.config.process.drainTimeoutMs)
    this.#close()
    // Closed last, so that an operator can watch the draining to its end.
    await this.#admin?.close()
  }

  #close(): void {
    this.#generation.retire()
    for (const entrance of this.#shared.entrances) closeEntrance(entrance)
    this.#shared.nearCaching.close()
    this.#shared.pools.close()
    this.#shared.mirrors.close()
    this.#shared.stats.stop()
    this.#idleClients.close()
    this.#logger.close()
  }
}

function isBusy({ session, mode }: Client): boolean {
  return session.inFlight > 0 || mode !== undefined
}
