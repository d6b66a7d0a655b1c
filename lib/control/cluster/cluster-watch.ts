/**
 * Keeps the map of one Redis Cluster. It asks the nodes in turn, whenever there is a sign that the
 * map is old, and from time to time without one. While a slot has no owner, or an owner is away, the
 * lost master and its replicas are asked as well: the replica that takes over knows first.
 */

import { errorText } from '../../errors.ts'
import { CLUSTER_ANSWER_MS, CLUSTER_LOGGED_MOVES_MAX } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import { addressKey } from '../server-address.ts'
import { reachedAt } from './address-map.ts'
import { Askers, type AskersOptions } from './askers.ts'
import type { Belief, Outcome } from './belief.ts'
import { type ClusterCounts, changeBetween } from './change.ts'
import { NoAnswer } from './node-asker.ts'
import { type Finding, type RefreshCause, RefreshClock } from './refresh-clock.ts'
import { type Candidate, candidateAt, seedCandidates } from './seeds.ts'
import {
  type ClusterNode,
  type ClusterView,
  type NodeAddress,
  SLOT_COUNT,
  serversOf,
} from './view.ts'

export interface ClusterWatchOptions extends AskersOptions {
  /** At least one. */
  readonly seeds: readonly NodeAddress[]
  /** Between looks without a sign, milliseconds, a fifth more or less. */
  readonly refreshMs: number
  /** Longest wait for an answer while none comes, milliseconds. */
  readonly connectTimeoutMs: number
  readonly logger: Logger
  readonly observer: ClusterObserver
  readonly counts: ClusterCounts
  /** Outlives the watch where another follows it. */
  readonly belief: Belief
}

export interface ClusterObserver {
  /**
   * Slots have other owners, or masters other replicas. `failed`: `host:port` of those that were masters
   * before and that the nodes call failed.
   */
  changed(view: ClusterView, failed: ReadonlySet<string>): void
  /**
   * A master that was suspected does not hang, or no longer: it has answered, and so have those that may
   * have replaced it meanwhile; or its machine says that it is gone.
   */
  awake(address: NodeAddress): void
}

export class ClusterWatch {
  readonly #options: ClusterWatchOptions
  readonly #askers: Askers
  readonly #belief: Belief
  readonly #clock: RefreshClock
  /** Nodes that do not answer, and since when. */
  readonly #suspects = new Map<string, number>()
  /** Masters among them that have answered, while others are asked about them. */
  readonly #waking = new Set<string>()
  /** Servers that turned out to be no cluster nodes. Each is logged once. */
  readonly #noClusters = new Set<string>()
  /** The reason of the last node that did not answer. */
  #trouble = ''
  /** The node that answered last. */
  #toldBy = ''
  #turn = 0
  /** Looks in a row in which no node has answered. */
  #silentLooks = 0
  #logged: ClusterView | undefined
  #closed = false

  constructor(options: ClusterWatchOptions) {
    this.#options = options
    const { now, refreshMs } = options
    this.#askers = new Askers(options)
    this.#belief = options.belief
    this.#clock = new RefreshClock({ look: (cause) => this.#look(cause), refreshMs, now })
  }

  /** Undefined until a node has answered. */
  get view(): ClusterView | undefined {
    return this.#belief.view
  }

  /** The highest config epoch that a node has told. */
  get epoch(): number {
    return this.#belief.epoch
  }

  /** `host:port` of those that are known and do not answer. */
  get missing(): string[] {
    return [...this.#suspects.keys()]
  }

  start(): void {
    this.#clock.want('start')
  }

  /** There is a sign that the map is old. */
  refresh(cause: RefreshCause): void {
    this.#clock.want(cause)
  }

  /** The node is lost, refuses connections or is silent: others are asked, until it answers itself. */
  suspect(address: NodeAddress): void {
    const key = addressKey(address)
    if (!this.#suspects.has(key)) this.#suspects.set(key, this.#options.now())
    this.#clock.want('lost')
  }

  /**
   * A node has said MOVED: the slot is at `to`, as it was told, from now on. A server that the map does
   * not have is believed only when it proves itself by a certificate, or nodes list it.
   */
  slotMoved(slot: number, to: NodeAddress): void {
    const { view } = this
    const isBelieved = this.#belief.moved(slot, reachedAt(this.#options.addressMap, to))
    this.#clock.want('moved')
    if (isBelieved && this.view !== undefined && this.view !== view) {
      this.#options.observer.changed(this.view, NONE)
    }
  }

  close(): void {
    this.#closed = true
    this.#clock.close()
    this.#askers.close()
  }

  async #look(cause: RefreshCause): Promise<Finding> {
    this.#options.counts.refreshes[cause] += 1
    this.#turn += 1
    this.#askTheLost()
    const hasAnswered = (await this.#askInTurn(this.#healthy())) || (await this.#askSeeds())
    if (this.#closed) return 'lacking'
    this.#tellSilence(!hasAnswered)
    this.#log()
    return hasAnswered && this.#isWhole() ? 'whole' : 'lacking'
  }

  /** Asks until one answers, and a second one where the answer is to be confirmed. */
  async #askInTurn(candidates: readonly Candidate[]): Promise<boolean> {
    let answers = 0
    for (const candidate of candidates) {
      if (this.#askers.isAsking(candidate.address)) continue
      const outcome = await this.#ask(candidate)
      if (this.#closed) return false
      if (outcome === undefined) continue
      answers += 1
      if (!outcome.doubtful || answers === VOICES) return true
    }
    return answers > 0
  }

  async #askSeeds(): Promise<boolean> {
    if (this.#closed) return false
    return this.#askInTurn(await seedCandidates(this.#options.seeds, this.#turn))
  }

  /** They are asked in parallel: they may not answer, and nothing waits for them. */
  #askTheLost(): void {
    for (const { address, replicas } of this.view?.nodes ?? []) {
      const isLost = this.#isSuspect(address)
      for (const each of [address, ...replicas]) {
        const isWanted = isLost || this.#isSuspect(each)
        if (isWanted && !this.#askers.isAsking(each)) void this.#ask(candidateAt(each))
      }
    }
  }

  /** Undefined: it has not answered. */
  async #ask(candidate: Candidate): Promise<Outcome | undefined> {
    const { address } = candidate
    try {
      const told = await this.#askers.ask(candidate, this.#deadlineMs())
      if (this.#closed) return undefined
      this.#toldBy = addressKey(address)
      const before = this.view
      const outcome = this.#belief.told(told)
      if (outcome.changed && this.view !== undefined) this.#changed(before, this.view, told.failed)
      this.#answered(address)
      return outcome
    } catch (error) {
      if (!this.#closed) this.#failed(address, error)
      return undefined
    }
  }

  #answered(address: NodeAddress): void {
    const key = addressKey(address)
    const node = this.view?.nodes.find((each) => addressKey(each.address) === key)
    if (node === undefined || !this.#suspects.has(key)) this.#suspects.delete(key)
    else if (!this.#waking.has(key)) void this.#wake(key, node)
  }

  /** A master that has slept knows nothing of its heir: its replicas, asked now, have the last word. */
  async #wake(key: string, { address, replicas }: ClusterNode): Promise<void> {
    this.#waking.add(key)
    const said = await Promise.all(replicas.map((each) => this.#ask(candidateAt(each))))
    if (said.every((each) => each === undefined)) await this.#askInTurn(this.#healthy())
    this.#waking.delete(key)
    if (this.#closed) return
    this.#suspects.delete(key)
    this.#options.observer.awake(address)
  }

  /** More patience the longer nobody answers: the cluster may be far away. */
  #deadlineMs(): number {
    const { connectTimeoutMs } = this.#options
    const patientMs = CLUSTER_ANSWER_MS * 2 ** Math.min(this.#silentLooks, DOUBLINGS_MAX)
    return Math.min(patientMs, Math.max(connectTimeoutMs, CLUSTER_ANSWER_MS))
  }

  #changed(before: ClusterView | undefined, after: ClusterView, ids: ReadonlySet<string>): void {
    for (const address of changeBetween(before, after).replaced) {
      const sinceMs = this.#suspects.get(addressKey(address)) ?? this.#options.now()
      this.#options.counts.failovers += 1
      this.#options.counts.failoverSeconds += (this.#options.now() - sinceMs) / 1000
    }
    const known = new Set(after.nodes.flatMap(serversOf).map(addressKey))
    for (const key of this.#suspects.keys()) if (!known.has(key)) this.#suspects.delete(key)
    this.#log()
    const failed = (before?.nodes ?? []).filter(({ id }) => ids.has(id))
    this.#options.observer.changed(after, new Set(failed.map(({ address }) => addressKey(address))))
  }

  #failed(address: NodeAddress, error: unknown): void {
    const key = addressKey(address)
    this.#trouble = errorText(error instanceof Error ? error.message : String(error))
    const isKnown = this.view?.nodes.some((node) =>
      serversOf(node).some((each) => addressKey(each) === key),
    )
    if (isKnown === true && !this.#suspects.has(key)) this.#suspects.set(key, this.#options.now())
    // A connection that is refused will not wake up.
    if (!(error instanceof NoAnswer)) this.#options.observer.awake(address)
    if (!NO_CLUSTER.test(this.#trouble) || this.#noClusters.has(key)) return
    this.#noClusters.add(key)
    this.#options.logger.warn({ address: key }, 'server is no node of a Redis Cluster')
  }

  /** Masters and replicas that are not missed, each time beginning with the next one. */
  #healthy(): Candidate[] {
    const all = (this.view?.nodes ?? []).flatMap(serversOf)
    const healthy = all.filter((address) => !this.#isSuspect(address))
    const at = this.#turn % Math.max(1, healthy.length)
    return [...healthy.slice(at), ...healthy.slice(0, at)].map(candidateAt)
  }

  #isSuspect(address: NodeAddress): boolean {
    return this.#suspects.has(addressKey(address))
  }

  #isWhole(): boolean {
    const { view } = this
    if (view === undefined || view.covered < SLOT_COUNT) return false
    return !view.nodes.some(({ address }) => this.#isSuspect(address))
  }

  /** Logs once when no node answers any more, and once when one does again. */
  #tellSilence(isSilent: boolean): void {
    const wasSilent = this.#silentLooks > 0
    this.#silentLooks = isSilent ? this.#silentLooks + 1 : 0
    if (isSilent === wasSilent) return
    const { logger } = this.#options
    const reason = this.#trouble
    if (isSilent)
      logger.warn({ reason }, 'no node of the cluster answers, slots stay where they are')
    else logger.info({ node: this.#toldBy }, 'nodes of the cluster answer')
  }

  /** Logs one line for all that has changed since the last line. */
  #log(): void {
    const { view } = this
    if (view === undefined || view === this.#logged) return
    const { moves } = changeBetween(this.#logged, view)
    const isFirst = this.#logged === undefined
    this.#logged = view
    if (moves.length === 0 && !isFirst) return
    const facts = {
      masters: view.nodes.length,
      uncovered: SLOT_COUNT - view.covered,
      toldBy: this.#toldBy,
      moves: moves.slice(0, CLUSTER_LOGGED_MOVES_MAX),
    }
    this.#options.logger.info(facts, 'cluster map changed')
  }
}

/** Nodes that must say the same before what one alone says is believed. */
const VOICES = 2

/** How often the wait for an answer doubles; connectTimeoutMs bounds it in any case. */
const DOUBLINGS_MAX = 10

const NONE: ReadonlySet<string> = new Set()

const NO_CLUSTER = /cluster support disabled/
