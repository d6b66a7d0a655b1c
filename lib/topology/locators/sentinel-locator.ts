/**
 * Follows the master of one name through the sentinels. When a credible sentinel names a server,
 * that server is asked for its ROLE, and the shard moves only when it says that it is the master.
 * With `early` the shard moves before +switch-master, which comes a second after the new master
 * takes writes: requests wait from the moment in which the leader of the failover chooses a
 * replica, and go there as soon as it says that it is the master.
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
  ROLE_POLL_MS_MAX,
} from '../../limits.ts'
import type { Locator, LocatorObserver } from './locator.ts'
import { MasterView } from './master-view.ts'
import { type Role, RoleWatch, type RoleWatchOptions } from './role-watch.ts'
import { ServerNames } from './server-names.ts'

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
  /** The address so far, if known. */
  readonly address?: ServerAddress | undefined
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

/** The replica that the leader of a failover has chosen. */
interface Chosen {
  readonly address: ServerAddress
  /** The leader. */
  readonly sentinel: string
  readonly watch: RoleWatch
  wasReplica: boolean
}

export class SentinelLocator implements Locator, MasterObserver {
  address: ServerAddress | undefined
  readonly view: MasterView
  readonly #options: SentinelLocatorOptions
  readonly #names: ServerNames
  readonly #unfollow: () => void
  /** The previous master. */
  #deposed: ServerAddress | undefined
  /** Named by credible sentinels, and asked for their roles; by address. */
  readonly #heirs = new Map<string, RoleWatch>()
  /** Chosen by the leader of a failover, and asked for its role. */
  #chosen: Chosen | undefined
  #chosenTimer: NodeJS.Timeout | undefined
  /** Sentinels that name the deposed master before this moment are taken to be behind. */
  #staysUntilMs = 0
  /** The sentinel that led that failover. */
  #leader: string | undefined
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
    this.#names = new ServerNames(options.now, () => options.sentinels.ask())
    this.view = new MasterView((one, other) => this.#names.isOne(one, other))
    this.address = options.address
    if (this.address !== undefined) this.view.settled(this.address)
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
    this.#dropHeirs()
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
    if (answer !== undefined) this.#names.told([answer.address, ...answer.replicas])
    this.view.answered(sentinel, answer)
    this.#heard?.add(sentinel)
    if (report === undefined) this.#doesNotKnow(sentinel)
    else this.#ignorant?.delete(sentinel)
    this.#judge(sentinel)
    this.#options.observer.replicated(this.view.replicas())
    if (this.#heard !== undefined && this.#haveAllAnswered(this.#heard)) this.#endDoubt()
  }

  /** MasterObserver */
  switched(sentinel: string, to: ToldAddress): void {
    const address = serverAddress(to.host, to.port)
    if (address === undefined) return
    this.view.switched(sentinel, address)
    // The server is asked at once, even if it was asked in vain before.
    this.#drop(addressKey(address))
    this.#judge(sentinel)
    this.#options.sentinels.ask()
  }

  /** MasterObserver */
  selected(sentinel: string, heir: ToldAddress): void {
    const address = serverAddress(heir.host, heir.port)
    if (!this.#options.early || address === undefined || this.#isOne(address, this.address)) return
    if (this.#closed || !this.view.isReplica(address, sentinel)) return
    this.#dropChosen()
    const pauses = { everyMs: EARLY_POLL_MS, everyMsMax: EARLY_POLL_MS }
    const watch = this.#watch(address, pauses, (role) => this.#chosenSays(role))
    this.#chosen = { address, sentinel, watch, wasReplica: false }
    this.#chosenTimer = setTimeout(() => this.#giveUpChosen(), EARLY_WAIT_MS)
    this.#hold()
  }

  /** MasterObserver */
  aborted(sentinel: string): void {
    // Only the leader's word counts: another sentinel that wanted to lead may give up.
    if (this.#chosen?.sentinel === sentinel) this.#giveUpChosen()
    if (this.#leader !== sentinel) return
    this.#staysUntilMs = 0
    this.#judge(sentinel)
  }

  /** MasterObserver */
  lost(sentinel: string): void {
    this.view.lost(sentinel)
    this.#judge(sentinel)
  }

  /** MasterObserver */
  gone(sentinel: string): void {
    this.view.forget(sentinel)
    this.#heard?.delete(sentinel)
    this.#ignorant?.delete(sentinel)
    this.#judge(sentinel)
  }

  /**
   * A dead master that comes back calls itself master as well. So a chosen server counts only if it
   * was seen as a replica before; otherwise the sentinels' word is waited for.
   */
  #chosenSays(role: Role): void {
    const chosen = this.#chosen
    if (chosen === undefined) return
    if (role === 'slave') chosen.wasReplica = true
    if (role !== 'master' || !chosen.wasReplica) return
    this.#staysUntilMs = this.#options.now() + EARLY_STAY_MS
    this.#leader = chosen.sentinel
    this.#moveTo(chosen.address, `${chosen.sentinel}, +selected-slave`)
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
    const { sentinels, now } = this.#options
    const areBehind = now() < this.#staysUntilMs
    const named = this.view.heirs(sentinels.states.length)
    const heirs = new Map<string, ServerAddress>()
    for (const address of named) {
      if (!areBehind || !this.#isOne(address, this.#deposed))
        heirs.set(addressKey(address), address)
    }
    for (const key of this.#heirs.keys()) if (!heirs.has(key)) this.#drop(key)
    for (const [key, address] of heirs) {
      if (this.#heirs.has(key)) continue
      const pauses = { everyMs: ROLE_POLL_MS, everyMsMax: ROLE_POLL_MS_MAX }
      const watch = this.#watch(address, pauses, (role) => {
        if (role === 'master') this.#moveTo(address, toldBy)
      })
      this.#heirs.set(key, watch)
    }
    // Sentinels that differ, or know no master yet, are asked more often.
    const isSettled = this.address !== undefined && named.length === 0 && !this.view.differs
    sentinels.hurry(this, !isSettled)
  }

  #watch(
    address: ServerAddress,
    pauses: Pick<RoleWatchOptions, 'everyMs' | 'everyMsMax'>,
    onRole: (role: Role) => void,
  ): RoleWatch {
    const { readRole } = this.#options
    return new RoleWatch({ read: () => readRole(address), ...pauses, onRole })
  }

  #drop(key: string): void {
    this.#heirs.get(key)?.stop()
    this.#heirs.delete(key)
  }

  #dropHeirs(): void {
    for (const key of this.#heirs.keys()) this.#drop(key)
  }

  #moveTo(address: ServerAddress, toldBy: string): void {
    const from = this.address
    this.#dropChosen()
    this.#dropHeirs()
    clearTimeout(this.#doubtTimer)
    this.#heard = undefined
    this.#held = false
    this.#deposed = from
    this.address = address
    this.view.settled(address)
    const facts = { from: from && addressKey(from), to: addressKey(address), toldBy }
    this.#options.observer.moved(address, facts)
    this.#options.observer.replicated(this.view.replicas())
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
    const isWaited = this.#chosen !== undefined || this.#heard !== undefined
    if (!this.#held || isWaited) return
    this.#held = false
    this.#options.observer.released()
  }

  #isOne(one: ServerAddress, other: ServerAddress | undefined): boolean {
    return other !== undefined && this.#names.isOne(one, other)
  }
}
