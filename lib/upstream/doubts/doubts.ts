/**
 * Reasons to doubt that the connections of a shard lead to it, and what follows: its name leads
 * elsewhere, it says READONLY, it says nothing at all.
 */
import { REPLICA_LOG_MS, SILENT_MS } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import type { ShardConnection } from '../connection/connection.ts'
import type { ConnectionSigns } from '../connection/connection-options.ts'
import type { ShardAddress } from '../connection/making/dial.ts'
import type { Lane } from '../lane.ts'
import { Checkup } from './checkup.ts'
import type { Health } from './health.ts'
import { nameLookupFor } from './name-lookup.ts'
import type { Role } from './role.ts'
import { signIn } from './signs.ts'

type Which = (connection: ShardConnection) => boolean

/** The shard, as far as its connections are doubted. */
export interface Doubted {
  readonly name: string
  openAside(lane: Lane): ShardConnection
  connectionFor(lane: Lane, sessionId: number): ShardConnection
  /** Its connections of every kind. */
  all(): readonly ShardConnection[]
  moved(stays: Which, facts: object, isSure?: boolean): void
  /** Closes dedicated connections that nobody uses. */
  endIdle(which: Which): void
  /** Replaces shared connections without losing a request. */
  renew(which: Which): void
}

export interface DoubtsOptions {
  readonly address: ShardAddress | undefined
  /** For a shard whose server may move: asks its locator to look again. */
  readonly onDoubt?: ((sign: 'readOnly' | 'silent') => void) | undefined
  readonly now: () => number
  readonly logger: Logger
}

export class Doubts {
  readonly #onDoubt: ((sign: 'readOnly' | 'silent') => void) | undefined
  readonly #shard: Doubted
  readonly #health: Health
  readonly #logger: Logger
  readonly #name: ReturnType<typeof nameLookupFor>
  readonly #checkup: Checkup
  #silenceTimer: NodeJS.Timeout | undefined
  /** When it last turned out to be a replica; the turn's clock. */
  #replicaMs = Number.NEGATIVE_INFINITY

  constructor(shard: Doubted, health: Health, { address, onDoubt, now, logger }: DoubtsOptions) {
    this.#shard = shard
    this.#health = health
    this.#logger = logger
    this.#onDoubt = onDoubt
    this.#name = address && nameLookupFor(address, now, (addresses) => this.#leadsTo(addresses))
    this.#checkup = new Checkup({
      now,
      open: (lane) => shard.openAside(lane),
      onAnswered: (sinceMs) => this.#onAnswered(sinceMs),
      onRoles: (before, role, sinceMs) => this.#onRoles(before, role, sinceMs),
    })
  }

  /** The way to the shard's address, which is this or undefined: to where its name leads. */
  wayTo(address: ShardAddress): ShardAddress {
    const lookup = this.#name?.lookup
    return lookup === undefined ? address : { ...address, lookup }
  }

  /** Those that connections of the lane give. */
  signsOf(lane: Lane): ConnectionSigns {
    return {
      replied: (bytes, start, end) => {
        const sign = signIn(bytes, start, end)
        if (sign === 'notServing') this.#health.doubt()
        else if (sign === 'readOnly') this.#doubtMaster(lane)
      },
      silent: (sinceMs) => {
        this.#leaveUnheard(sinceMs)
        this.#onDoubt?.('silent')
        this.#doubt(lane)
      },
    }
  }

  close(): void {
    this.#name?.close()
    this.#checkup.close()
    clearTimeout(this.#silenceTimer)
  }

  #doubtMaster(lane: Lane): void {
    if (this.#onDoubt === undefined) this.#doubt(lane, this.#shard.connectionFor(lane, 0))
    else this.#onDoubt('readOnly')
  }

  /** `current`: a shared connection, after READONLY. */
  #doubt(lane: Lane, current?: ShardConnection): void {
    this.#name?.doubt()
    this.#checkup.ask(lane, current)
  }

  #leadsTo(addresses: readonly string[]): void {
    const there = new Set(addresses)
    const isThere: Which = ({ remoteAddress }) => there.has(remoteAddress ?? '')
    this.#shard.moved(isThere, { addresses }, true)
  }

  /**
   * A network path that dropped one connection has probably dropped the idle ones as well; to find that
   * out one by one would cost a request each.
   */
  #leaveUnheard(sinceMs: number): void {
    this.#shard.endIdle(({ lastReadMs }) => lastReadMs < sinceMs)
    this.#shard.renew(({ isFree, lastReadMs }) => isFree && lastReadMs < sinceMs)
  }

  /** Where the shard answers a new connection, an older one that owes replies and says nothing is dead. */
  #onAnswered(sinceMs: number): void {
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = setTimeout(() => {
      for (const connection of this.#shard.all()) connection.giveUpIfSilent(sinceMs)
    }, SILENT_MS)
    this.#silenceTimer.unref()
  }

  /** Something said READONLY. `before`: who answers a shared connection; `now`: who answers a new one. */
  #onRoles(before: Role, now: Role, sinceMs: number): void {
    const isOld: Which = ({ openedMs }) => openedMs < sinceMs
    if (now === 'replica') {
      this.#logReplica(sinceMs)
    } else if (now === 'master' && before === 'replica') {
      this.#shard.moved((connection) => !isOld(connection), { reason: 'READONLY' })
    } else {
      // From a dedicated connection, from a script that made it up, or from a server that does not tell.
      this.#shard.endIdle(isOld)
      if (before !== 'master') this.#shard.renew(isOld)
    }
  }

  /** Once, as long as it goes on. */
  #logReplica(nowMs: number): void {
    const isNew = nowMs - this.#replicaMs > REPLICA_LOG_MS
    this.#replicaMs = nowMs
    if (isNew)
      this.#logger.warn({ shard: this.#shard.name }, 'shard is a replica and refuses writes')
  }
}
