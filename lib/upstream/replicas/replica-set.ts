/** The replicas of one shard, as readers see them. */
import type { Logger } from '../../logger.ts'
import { Coverage } from './coverage.ts'
import type { Heard, Replica } from './replica.ts'
import { smoothed } from './replica.ts'
import type { ReplicasView } from './replicas-view.ts'

export interface ReplicaSetOptions {
  /** Of the shard. */
  readonly name: string
  /** The turn's clock. */
  readonly now: () => number
  readonly logger: Logger
}

/** Reads of a session that go to the master and would rather not. */
export interface Handover {
  /** Some are under way at the master. */
  readonly isFlying: boolean
  /** Reads wait from now on. */
  hold(): void
  /** They go on, to a replica if one is known to be as far as the session. */
  release(): void
}

export class ReplicaSet implements ReplicasView {
  readonly coverage = new Coverage()
  /** Measurements of the master, to compare with its replicas. */
  masterZone: string | undefined
  masterRoundTripMs: number | undefined
  /** Reads that replicas have answered. */
  reads = 0
  readonly #options: ReplicaSetOptions
  #list: readonly Replica[] = []
  #wanting = new Set<Handover>()
  #onWanted: () => void = () => {}

  constructor(options: ReplicaSetOptions) {
    this.#options = options
  }

  get list(): readonly Replica[] {
    return this.#list
  }

  /** Requests that replicas have not answered. */
  get inFlight(): number {
    return this.#list.reduce((sum, { server }) => sum + server.inFlight, 0)
  }

  /** How many are read from. */
  get serving(): number {
    return this.#list.filter(({ serves }) => serves).length
  }

  /** These are the replicas from now on. */
  use(list: readonly Replica[]): void {
    this.#list = list
  }

  /** `onWanted`: somebody wants to be handed over. */
  handOverBy(onWanted: () => void): void {
    this.#onWanted = onWanted
  }

  /** It is handed over to a replica as soon as one can be shown to be as far. */
  wants(handover: Handover): void {
    if (this.#wanting.has(handover)) return
    this.#wanting.add(handover)
    this.#onWanted()
  }

  get isWanted(): boolean {
    return this.#wanting.size > 0
  }

  /** Those that want it, each once. */
  takeWanting(): readonly Handover[] {
    const wanting = [...this.#wanting]
    this.#wanting.clear()
    return wanting
  }

  /** A replica that serves has all that the master had at this moment. */
  covers(ms: number): boolean {
    return this.#list.some(({ serves, coveredMs }) => serves && coveredMs >= ms)
  }

  masterHeard(roundTripMs: number, zone: string | undefined): void {
    this.masterRoundTripMs = smoothed(this.masterRoundTripMs, roundTripMs)
    this.masterZone = zone
  }

  /** There is another master: earlier measurements of the replicas are void. */
  masterMoved(): void {
    this.coverage.clear()
    this.masterRoundTripMs = undefined
    for (const replica of this.#list) replica.masterMoved()
  }

  heard(replica: Replica, heard: Heard): void {
    const ailment = heard.ailment ?? (replica.server.up ? undefined : 'no connection to it works')
    if (replica.heard({ ...heard, ailment }, this.#options.now())) this.#log(replica)
  }

  unheard(replica: Replica, why: string): void {
    if (replica.unheard(why)) this.#log(replica)
  }

  /** It has failed a read. */
  failed(replica: Replica, why: string): void {
    if (replica.failed(why, this.#options.now())) this.#log(replica)
  }

  #log({ address: replica, ailment }: Replica): void {
    const { name: shard, logger } = this.#options
    if (ailment === undefined) logger.info({ shard, replica }, 'replica is read from')
    else logger.warn({ shard, replica, reason: ailment }, 'replica is not read from')
  }
}
