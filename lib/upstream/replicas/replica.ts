/**
 * One replica of a shard: a server with connections of its own, and what was last heard of how far it
 * follows its master.
 */
import { REPLICA_OUT_MS } from '../../limits.ts'
import type { Lane } from '../lane.ts'
import type { Shard } from '../shard.ts'
import { NEVER } from './coverage.ts'

/** What a round of questions has shown. */
export interface Heard {
  /** Why it should not be read from; undefined: it may be. */
  readonly ailment: string | undefined
  /** See coverage.ts. */
  readonly coveredMs: number
  /** Bytes behind its master; undefined: not known. */
  readonly lagBytes: number | undefined
  readonly offset: number
  /** Between question and answer, milliseconds. */
  readonly roundTripMs: number
  readonly zone: string | undefined
}

/** How much the newest round trip counts against those before. */
const NEWEST_SHARE = 0.25

export function smoothed(before: number | undefined, roundTripMs: number): number {
  return before === undefined ? roundTripMs : before + NEWEST_SHARE * (roundTripMs - before)
}

let stays = 0

export class Replica {
  /** `host:port` */
  readonly address: string
  /** Its connections. */
  readonly server: Shard
  /**
   * Changes whenever it ceases to serve: what was read of it before says nothing about what will be read
   * after that. Positive.
   */
  stay = ++stays
  coveredMs = NEVER
  lagBytes: number | undefined
  offset = 0
  roundTripMs: number | undefined
  zone: string | undefined
  /** Since when it serves or does not, milliseconds since the epoch. */
  sinceMs = Date.now()
  /** Why it is not read from; undefined while it is. */
  ailment: string | undefined = 'not asked yet'
  #outUntilMs = NEVER
  /** How often its connections had been made again when it was heard. */
  #reconnects = 0

  constructor(address: string, server: Shard) {
    this.address = address
    this.server = server
  }

  /** A server whose connections were lost may have been started anew since, with less than it had. */
  get serves(): boolean {
    return this.ailment === undefined && this.server.stats.reconnects === this.#reconnects
  }

  /** Its connection for the session is there, or is made for the first time. */
  isConnected(lane: Lane, sessionId: number): boolean {
    const { state, incarnation } = this.server.connectionFor(lane, sessionId)
    return state === 'ready' || (state === 'connecting' && incarnation === 1)
  }

  /** Returns whether that makes it serve, or cease to. */
  heard(
    { ailment, coveredMs, lagBytes, offset, roundTripMs, zone }: Heard,
    nowMs: number,
  ): boolean {
    this.lagBytes = lagBytes
    this.offset = offset
    this.roundTripMs = smoothed(this.roundTripMs, roundTripMs)
    this.zone = zone
    const { reconnects } = this.server.stats
    // A server that has forgotten something is another one.
    if (coveredMs < this.coveredMs || reconnects !== this.#reconnects) this.stay = ++stays
    this.#reconnects = reconnects
    this.coveredMs = coveredMs
    return nowMs < this.#outUntilMs ? false : this.#is(ailment)
  }

  /** It could not be asked. Returns whether that makes it cease to serve. */
  unheard(why: string): boolean {
    return this.#is(why)
  }

  /** It has failed a read: it is left alone for a while. Returns whether it served until now. */
  failed(why: string, nowMs: number): boolean {
    this.#outUntilMs = nowMs + REPLICA_OUT_MS
    return this.#is(why)
  }

  /**
   * Its master has changed: sessions that have read from it must not take it for the same server.
   */
  masterMoved(): void {
    this.stay = ++stays
    this.coveredMs = NEVER
    this.lagBytes = undefined
  }

  #is(ailment: string | undefined): boolean {
    const changes = (ailment === undefined) !== (this.ailment === undefined)
    this.ailment = ailment
    if (!changes) return false
    this.sinceMs = Date.now()
    if (ailment !== undefined) this.stay = ++stays
    return true
  }
}
