/**
 * Follows the master of one name through the sentinels: from the word of a credible sentinel to the
 * server's own ROLE, and only then does a shard move. With `early` it goes ahead of +switch-master,
 * which comes a second after the heir takes writes: from the moment in which the leader chooses the
 * heir requests wait, and they go to the heir as soon as it says that it is the master.
 */

import type { MasterReport, ToldAddress } from '../../control/sentinel/reports.ts'
import type { MasterObserver, Sentinels } from '../../control/sentinel/sentinels.ts'
import { addressKey, type ServerAddress, serverAddress } from '../../control/server-address.ts'
import {
  EARLY_POLL_MS,
  EARLY_STAY_MS,
  EARLY_WAIT_MS,
  MASTER_DOUBT_MS,
  ROLE_POLL_MS,
} from '../../limits.ts'
import type { Locator, LocatorObserver } from './locator.ts'
import { MasterView } from './master-view.ts'
import { type Role, RoleWatch } from './role-watch.ts'

export interface SentinelLocatorOptions {
  /** The name by which the sentinels know it. */
  readonly master: string
  readonly sentinels: Sentinels
  readonly early: boolean
  /** What a server says its role is, on a fresh connection. Rejects when it does not answer. */
  readonly readRole: (address: ServerAddress) => Promise<Role>
  readonly observer: LocatorObserver
  /** Called once when every sentinel that answers says that it knows no master of this name. */
  readonly onUnknown: () => void
  /** Where it is already, as far as is known. */
  readonly address?: ServerAddress | undefined
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

/** Somebody who may become the master, while that is being found out. */
interface Heir {
  readonly address: ServerAddress
  readonly toldBy: string
  readonly watch: RoleWatch
}

export class SentinelLocator implements Locator, MasterObserver {
  address: ServerAddress | undefined
  readonly view = new MasterView()
  readonly #options: SentinelLocatorOptions
  readonly #unfollow: () => void
  /** Who was the master before. */
  #deposed: ServerAddress | undefined
  /** Named by the sentinels, and asked for its role. */
  #candidate: Heir | undefined
  /** Chosen by the leader of a failover, and asked for its role. */
  #chosen: (Heir & { wasReplica: boolean }) | undefined
  #chosenTimer: NodeJS.Timeout | undefined
  /** Until then sentinels that still name the deposed master are behind. */
  #staysUntilMs = 0
  /** While requests wait because of a doubt: the sentinels that have answered since. */
  #heard: Set<string> | undefined
  #doubtTimer: NodeJS.Timeout | undefined
  #doubtedMs = Number.NEGATIVE_INFINITY
  /** Sentinels that do not know the master; undefined once that has been told. */
  #ignorant: Set<string> | undefined = new Set()
  #held = false
  #closed = false

  /** Follows at once. */
  constructor(options: SentinelLocatorOptions) {
    this.#options = options
    this.address = options.address
    this.#unfollow = options.sentinels.follow(options.master, this)
  }

  /**
   * The server does not act as a master: the sentinels are asked. If it refuses writes, nothing is sent
   * there until they have answered.
   */
  doubt(sign: 'readOnly' | 'silent'): void {
    const nowMs = this.#options.now()
    if (this.#closed || nowMs - this.#doubtedMs < MASTER_DOUBT_MS) return
    this.#doubtedMs = nowMs
    this.#options.sentinels.ask()
    if (sign === 'silent') return
    this.#heard = new Set()
    this.#doubtTimer = setTimeout(() => this.#endDoubt(), MASTER_DOUBT_MS)
    this.#hold()
  }

  #endDoubt(): void {
    clearTimeout(this.#doubtTimer)
    this.#heard = undefined
    this.#releaseIfSettled()
  }

  close(): void {
    this.#closed = true
    this.#unfollow()
    this.#candidate?.watch.stop()
    this.#dropChosen()
    clearTimeout(this.#doubtTimer)
  }

  /** MasterObserver */
  answered(sentinel: string, report: MasterReport | undefined): void {
    const address = report && serverAddress(report.host, report.port)
    const answer = address && {
      address,
      epoch: report.epoch,
      replicas: report.replicas.flatMap((each) => serverAddress(each.host, each.port) ?? []),
    }
    this.view.answered(sentinel, answer)
    this.#heard?.add(sentinel)
    if (report === undefined) this.#doesNotKnow(sentinel)
    else this.#ignorant?.delete(sentinel)
    this.#judge(sentinel)
    if (this.#heard !== undefined && this.#haveAllAnswered(this.#heard)) this.#endDoubt()
  }

  /** MasterObserver */
  switched(sentinel: string, to: ToldAddress): void {
    const address = serverAddress(to.host, to.port)
    if (address === undefined) return
    this.view.switched(sentinel, address)
    this.#judge(sentinel)
    this.#options.sentinels.ask()
  }

  /** MasterObserver */
  selected(sentinel: string, heir: ToldAddress): void {
    const address = serverAddress(heir.host, heir.port)
    if (!this.#options.early || address === undefined || this.#is(address)) return
    if (this.#closed || !this.view.isReplica(address, sentinel)) return
    this.#dropChosen()
    const watch = this.#watch(address, EARLY_POLL_MS, (role) => this.#heirSays(role))
    this.#chosen = { address, toldBy: `${sentinel}, +selected-slave`, watch, wasReplica: false }
    this.#chosenTimer = setTimeout(() => this.#giveUpChosen(), EARLY_WAIT_MS)
    this.#hold()
  }

  /** MasterObserver */
  aborted(): void {
    this.#giveUpChosen()
  }

  /** MasterObserver */
  lost(sentinel: string): void {
    this.view.forget(sentinel)
  }

  /**
   * A dead master that comes back calls itself one as well. The heir is one that was seen as a replica
   * before; otherwise the sentinels' word is waited for.
   */
  #heirSays(role: Role): void {
    const chosen = this.#chosen
    if (chosen === undefined) return
    if (role === 'slave') chosen.wasReplica = true
    if (role !== 'master' || !chosen.wasReplica) return
    this.#staysUntilMs = this.#options.now() + EARLY_STAY_MS
    this.#moveTo(chosen.address, chosen.toldBy)
  }

  #giveUpChosen(): void {
    this.#dropChosen()
    this.#releaseIfSettled()
  }

  #dropChosen(): void {
    clearTimeout(this.#chosenTimer)
    this.#chosen?.watch.stop()
    this.#chosen = undefined
  }

  /** What the sentinels say, taken together, has changed. */
  #judge(toldBy: string): void {
    if (this.#closed) return
    const believed = this.view.believed(this.#deposed)
    const isBehind =
      believed !== undefined &&
      this.#options.now() < this.#staysUntilMs &&
      sameAddress(believed, this.#deposed)
    this.#hurry(believed)
    if (believed === undefined || isBehind) return
    if (this.#is(believed)) {
      this.#dropCandidate()
      this.#releaseIfSettled()
    } else if (!sameAddress(believed, this.#candidate?.address)) {
      this.#dropCandidate()
      const watch = this.#watch(believed, ROLE_POLL_MS, (role) => {
        if (role === 'master') this.#moveTo(believed, toldBy)
      })
      this.#candidate = { address: believed, toldBy, watch }
    }
  }

  /** Sentinels that differ, or know no master yet, are asked more often. */
  #hurry(believed: ServerAddress | undefined): void {
    const isSettled = believed !== undefined && this.#is(believed) && !this.view.differs
    this.#options.sentinels.hurry(this.#options.master, !isSettled)
  }

  #watch(address: ServerAddress, everyMs: number, onRole: (role: Role) => void): RoleWatch {
    const { readRole } = this.#options
    return new RoleWatch({ read: () => readRole(address), everyMs, onRole })
  }

  #dropCandidate(): void {
    this.#candidate?.watch.stop()
    this.#candidate = undefined
  }

  #moveTo(address: ServerAddress, toldBy: string): void {
    const from = this.address
    this.#dropChosen()
    this.#dropCandidate()
    clearTimeout(this.#doubtTimer)
    this.#heard = undefined
    this.#held = false
    this.#deposed = from
    this.address = address
    const facts = { from: from && addressKey(from), to: addressKey(address), toldBy }
    this.#options.observer.moved(address, facts)
  }

  #hold(): void {
    if (this.#held || this.address === undefined) return
    this.#held = true
    this.#options.observer.held()
  }

  #doesNotKnow(sentinel: string): void {
    const ignorant = this.#ignorant?.add(sentinel)
    if (ignorant === undefined || this.view.voices > 0 || !this.#haveAllAnswered(ignorant)) return
    this.#ignorant = undefined
    this.#options.onUnknown()
  }

  #haveAllAnswered(heard: ReadonlySet<string>): boolean {
    const { states } = this.#options.sentinels
    return states.every(({ address, reachable }) => !reachable || heard.has(address))
  }

  #releaseIfSettled(): void {
    const isWaited =
      this.#chosen !== undefined || this.#candidate !== undefined || this.#heard !== undefined
    if (!this.#held || isWaited) return
    this.#held = false
    this.#options.observer.released()
  }

  #is(address: ServerAddress): boolean {
    return sameAddress(address, this.address)
  }
}

function sameAddress(one: ServerAddress, other: ServerAddress | undefined): boolean {
  return other !== undefined && addressKey(one) === addressKey(other)
}
