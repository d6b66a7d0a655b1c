/**
 * Asks the master of a shard and its replicas once a second how far they are, and keeps the set of those
 * that are read from up to date. Exists only with `readFrom`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { PoolConfig, ReplicaAddress } from '../config/config.ts'
import { type Replication, type ReplicationAsker, silenceReason } from '../control/replication.ts'
import { addressKey } from '../control/server-address.ts'
import {
  HANDOVER_ASK_MS,
  HANDOVER_MS_MAX,
  HANDOVER_PAUSE_MS,
  HANDOVER_PAUSE_MS_MAX,
  REPLICATION_ASK_MS,
  RETIRED_SHARD_MS,
} from '../limits.ts'
import type { Logger } from '../logger.ts'
import { timerMs } from '../timer.ts'
import { NEVER } from '../upstream/replicas/coverage.ts'
import { type Heard, Replica } from '../upstream/replicas/replica.ts'
import { type Handover, ReplicaSet } from '../upstream/replicas/replica-set.ts'
import type { Shard } from '../upstream/shard.ts'
import type { ShardSettings } from '../upstream/shard-options.ts'
import { Headcount } from './headcount.ts'

export interface ReplicaWatchOptions {
  /** Of the shard. */
  readonly name: string
  /** The turn's clock. */
  readonly now: () => number
  readonly logger: Logger
  /** Connections of its own to a replica at this place. */
  readonly openServer: (address: ReplicaAddress) => Shard
  /** Asks the master, or the server at this place. */
  readonly askerOf: (address: ReplicaAddress | undefined, asksZone: boolean) => ReplicationAsker
}

/** A replica that is asked. */
interface Watched {
  readonly replica: Replica
  readonly asker: ReplicationAsker
}

export class ReplicaWatch {
  readonly set: ReplicaSet
  readonly #options: ReplicaWatchOptions
  readonly #asksZone: boolean
  readonly #master: ReplicationAsker
  #maxLagBytes: number
  /** By address. */
  readonly #watched = new Map<string, Watched>()
  /** No longer replicas; they answer what they owe. */
  readonly #retired = new Map<Shard, NodeJS.Timeout>()
  #timer: NodeJS.Timeout | undefined
  /** Answers to questions from before the master moved say nothing. */
  #epoch = 0
  #onOthers: (() => void) | undefined
  readonly #headcount = new Headcount()
  #handoverPauseMs = HANDOVER_PAUSE_MS
  /** No read waits for a handover before this moment. */
  #handoverDueMs = NEVER
  #closed = false

  /** Asks from now on. */
  constructor(config: PoolConfig, options: ReplicaWatchOptions) {
    const { name, now, logger } = options
    this.#options = options
    this.#asksZone = config.zone !== undefined
    this.#maxLagBytes = config.replicaMaxLagBytes
    this.#master = options.askerOf(undefined, this.#asksZone)
    this.set = new ReplicaSet({ name, now, logger })
    this.set.handOverBy(() => {
      // While it asks, it plans afterwards.
      if (this.#timer !== undefined) this.#plan()
    })
    void this.#ask()
  }

  /** All its connections, those of former replicas included. */
  get servers(): readonly Shard[] {
    const current = [...this.#watched.values()].map(({ replica }) => replica.server)
    return [...current, ...this.#retired.keys()]
  }

  /** These are the replicas now. `onOthers`: from now on, when the master tells of another number of them. */
  follow(addresses: readonly ReplicaAddress[], onOthers = this.#onOthers): void {
    this.#onOthers = onOthers
    const wanted = new Map(addresses.map((address) => [addressKey(address), address]))
    for (const [key, { replica, asker }] of this.#watched) {
      if (wanted.has(key)) continue
      this.#watched.delete(key)
      asker.forget()
      this.set.unheard(replica, 'it is no replica any more')
      this.#retire(replica.server)
    }
    for (const [key, address] of wanted) {
      if (this.#watched.has(key)) continue
      this.#watched.set(key, this.#open(key, address))
    }
    this.set.use([...this.#watched.values()].map(({ replica }) => replica))
  }

  #open(key: string, address: ReplicaAddress): Watched {
    const replica = new Replica(key, this.#options.openServer(address))
    const asker = this.#options.askerOf(address, this.#asksZone)
    // The server that was asked until now is not the one that is read from.
    const moved = (): void => {
      asker.forget()
      this.set.failed(replica, 'its name leads elsewhere')
    }
    replica.server.observe({ moved })
    return { replica, asker }
  }

  /** The shard has another server. */
  masterMoved(): void {
    this.#epoch++
    this.#master.forget()
    this.set.masterMoved()
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    void this.#ask()
  }

  /** Goes on with what the configuration says now. */
  configure({ replicaMaxLagBytes }: PoolConfig, settings: ShardSettings): void {
    this.#maxLagBytes = replicaMaxLagBytes
    for (const { replica } of this.#watched.values()) replica.server.configure(settings)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#master.forget()
    for (const timer of this.#retired.values()) clearTimeout(timer)
    for (const server of this.servers) server.close()
    for (const { asker } of this.#watched.values()) asker.forget()
    this.#watched.clear()
    this.#retired.clear()
  }

  /** The master first: what a replica tells afterwards can be compared with it. */
  async #ask(): Promise<void> {
    this.#timer = undefined
    const isDue = this.#options.now() >= this.#handoverDueMs
    const held = isDue ? this.set.takeWanting() : []
    if (held.length > 0) await this.#handOver(held)
    else {
      await this.#askMaster()
      await this.#askReplicas()
    }
    this.#plan()
  }

  /** Reads wait until a replica is known to have what the master has now, or for HANDOVER_MS_MAX. */
  async #handOver(held: readonly Handover[]): Promise<void> {
    let isOver = false
    const release = (): void => {
      if (isOver) return
      isOver = true
      for (const each of held) each.release()
    }
    const timer = setTimeout(release, HANDOVER_MS_MAX)
    for (const each of held) each.hold()
    // What is under way there shows more than the master has now.
    while (!isOver && held.some(({ isFlying }) => isFlying)) await delay(HANDOVER_ASK_MS)
    const askedMs = await this.#askMaster()
    await this.#askReplicas()
    while (!isOver && askedMs !== undefined && !this.set.covers(askedMs)) {
      await delay(HANDOVER_ASK_MS)
      await this.#askReplicas()
    }
    clearTimeout(timer)
    this.#planHandover(!isOver)
    release()
  }

  #planHandover(succeeded: boolean): void {
    const longer = Math.min(4 * this.#handoverPauseMs, HANDOVER_PAUSE_MS_MAX)
    this.#handoverPauseMs = succeeded ? HANDOVER_PAUSE_MS : longer
    this.#handoverDueMs = this.#options.now() + this.#handoverPauseMs
  }

  #plan(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const untilHandoverMs = Math.max(0, this.#handoverDueMs - this.#options.now())
    const soonMs = this.set.isWanted ? untilHandoverMs : REPLICATION_ASK_MS
    const waitMs = Math.min(soonMs, REPLICATION_ASK_MS)
    this.#timer = setTimeout(() => void this.#ask(), timerMs(waitMs))
    this.#timer.unref()
  }

  async #askReplicas(): Promise<void> {
    await Promise.all([...this.#watched.values()].map((watched) => this.#askReplica(watched)))
  }

  /** When it was asked; undefined: it has not answered as a master. */
  async #askMaster(): Promise<number | undefined> {
    const epoch = this.#epoch
    const askedMs = this.#options.now()
    const startedMs = performance.now()
    const told = await this.#master.ask().catch(() => undefined)
    if (told?.isMaster !== true || epoch !== this.#epoch) return undefined
    const isOther = this.#headcount.isLookDue(told.replicas, this.#watched.size, askedMs)
    if (isOther) this.#onOthers?.()
    this.set.coverage.masterIs({ history: told.history, bytes: told.offset }, askedMs)
    this.set.masterHeard(performance.now() - startedMs, this.#master.zone)
    return askedMs
  }

  async #askReplica({ replica, asker }: Watched): Promise<void> {
    const epoch = this.#epoch
    const startedMs = performance.now()
    try {
      const told = await asker.ask()
      if (!this.#isWatched(replica) || epoch !== this.#epoch) return
      const roundTripMs = performance.now() - startedMs
      this.set.heard(replica, this.#judged(told, roundTripMs, asker.zone))
    } catch (error) {
      if (this.#isWatched(replica)) this.set.unheard(replica, silenceReason(error))
    }
  }

  #isWatched(replica: Replica): boolean {
    return this.#watched.get(replica.address)?.replica === replica
  }

  #judged(told: Replication, roundTripMs: number, zone: string | undefined): Heard {
    const offset = { history: told.history, bytes: told.offset }
    const { coverage } = this.set
    const lagBytes = told.isMaster ? undefined : coverage.lagOf(offset)
    const coveredMs = told.isMaster ? NEVER : coverage.until(offset)
    const ailment = told.isMaster ? 'it is a master' : (told.ailment ?? this.#lagging(lagBytes))
    return { ailment, coveredMs, lagBytes, offset: told.offset, roundTripMs, zone }
  }

  #lagging(lagBytes: number | undefined): string | undefined {
    if (!this.set.coverage.isKnown) return 'nobody knows how far its master is'
    if (lagBytes === undefined) return 'its master is not the one of this shard'
    const isFar = this.#maxLagBytes > 0 && lagBytes > this.#maxLagBytes
    return isFar ? 'it is too far behind its master' : undefined
  }

  #retire(server: Shard): void {
    const check = (): void => {
      if (server.inFlight > 0) {
        this.#retired.set(server, setTimeout(check, RETIRED_SHARD_MS))
        return
      }
      this.#retired.delete(server)
      server.close()
    }
    this.#retired.set(server, setTimeout(check, RETIRED_SHARD_MS))
  }
}
