/**
 * The shards in use, and what is known of each whichever configuration it came with: what it can do,
 * how much memory it uses, how it has failed. A reload keeps the shards that are configured as before,
 * opens the new ones, and lets the others end what they have begun.
 */
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { Learning } from '../control/learning.ts'
import { ShardMemory } from '../control/shard-memory.ts'
import { RETIRED_SHARD_MS } from '../limits.ts'
import { inGoodStanding, type Standing } from '../topology/ejecting.ts'
import type { Lane } from '../upstream/lane.ts'
import type { Shard } from '../upstream/shard.ts'
import {
  configureMember,
  identity,
  type Member,
  type MemberOptions,
  openMember,
  type PoolOptions,
} from './member.ts'
import { SentinelSets } from './sentinel-sets.ts'

export class Pool {
  readonly learning: Learning
  readonly memory = new ShardMemory()
  readonly sentinelSets: SentinelSets
  readonly #options: PoolOptions
  /** In the order of the configuration. */
  #members: readonly Member[] = []
  #hasHadSeveral = false
  /** Shards that are no longer configured and still have something under way. */
  readonly #retired = new Map<Shard, NodeJS.Timeout>()

  constructor(options: PoolOptions) {
    this.#options = options
    this.learning = new Learning(options)
    this.sentinelSets = new SentinelSets(options.logger)
  }

  /** In the order of the configuration. */
  get shards(): readonly Shard[] {
    return this.#members.map(({ shard }) => shard)
  }

  /** There are several shards now, or have been. */
  get hasHadSeveral(): boolean {
    return this.#hasHadSeveral
  }

  /** How each has fared, in the same order. */
  get standings(): readonly Standing[] {
    return this.#members.map(({ standing }) => standing)
  }

  /** From now on these shards are in use; others have so long to end what they have begun. */
  configure(config: PoolConfig, drainTimeoutMs: number): void {
    const before = this.#members
    this.#members = config.shards.map((shard) => this.#memberFor(shard, config))
    this.#hasHadSeveral ||= this.#members.length > 1
    const controls = this.#members.map(({ control }) => control)
    this.learning.follow(controls)
    this.memory.follow(controls)
    for (const { shard, control, standing } of this.#members) {
      if (!config.ejectShards) Object.assign(standing, inGoodStanding())
      // It may have learnt a command since.
      if (shard.lastUp !== undefined) void this.learning.shardIs(control, shard.lastUp)
    }
    for (const member of before) {
      if (!this.#members.includes(member)) this.#retire(member, drainTimeoutMs)
    }
  }

  /** Asks shards nothing more of its own. */
  stopAsking(): void {
    this.learning.follow([])
    this.memory.follow([])
  }

  closeLane(lane: Lane): void {
    for (const shard of [...this.shards, ...this.#retired.keys()]) shard.closeLane(lane)
  }

  close(): void {
    this.stopAsking()
    for (const { follower } of this.#members) follower?.close()
    for (const timer of this.#retired.values()) clearTimeout(timer)
    for (const shard of [...this.shards, ...this.#retired.keys()]) shard.close()
    this.#retired.clear()
  }

  get #memberOptions(): MemberOptions {
    const { learning, sentinelSets } = this
    return { ...this.#options, learning, sentinelSets }
  }

  #memberFor(shard: ShardConfig, config: PoolConfig): Member {
    const wanted = identity(shard)
    const known = this.#members.find((member) => member.identity === wanted)
    if (known !== undefined) configureMember(known, shard, config, this.#memberOptions)
    return known ?? openMember(shard, config, this.#memberOptions)
  }

  /** Closes the shard once it owes nothing, or its time is up. */
  #retire({ shard, follower, detach }: Member, drainTimeoutMs: number): void {
    detach()
    follower?.close()
    const { turn } = this.#options
    const deadlineMs = turn.now() + drainTimeoutMs
    const check = (): void => {
      const busy = shard.inFlight > 0 || shard.leased > 0
      if (busy && turn.now() < deadlineMs) {
        this.#retired.set(shard, setTimeout(check, RETIRED_SHARD_MS))
      } else {
        this.#retired.delete(shard)
        shard.close()
      }
    }
    // Not at once: a client may be in the middle of a transaction there without anything in flight.
    this.#retired.set(shard, setTimeout(check, RETIRED_SHARD_MS))
  }
}
