/**
 * Sessions that read from a master and its replicas, without a socket or a clock. The shard has one key,
 * whose value is how many writes there were: so every reply tells how old it is. A seed repeats it all.
 */
import { shardFailures } from '../../../lib/failures.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import type { ReadPolicy } from '../../../lib/upstream/replicas/choose.ts'
import { Reader, type ReadingNow } from '../../../lib/upstream/replicas/reader.ts'
import { Replica } from '../../../lib/upstream/replicas/replica.ts'
import { type Handover, ReplicaSet } from '../../../lib/upstream/replicas/replica-set.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { SILENT } from '../../support/ambassador.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { createRandom, type Random } from '../../support/random.ts'
import { ReplicaServer } from './server.ts'
import { ReplicaSession } from './session.ts'

const STEPS = 1500
const POLICIES: readonly ReadPolicy[] = ['prefer-replica', 'replica', 'nearest']
/** Most do not pass any time: what happens in one moment has no order that anybody could know. */
const MOMENTS_MS = [0, 0, 1, 1, 1, 5, 40]
const REQUEST_TIMEOUT_MS = 10_000
const QUIET_ROUNDS_MAX = 200
const HISTORY = 'h'

export class ReplicaWorld {
  readonly #random: Random
  readonly #timers = new ManualTimers()
  readonly #errors = shardFailures('a')
  readonly #lane = new Lanes(() => {}).first
  readonly #reading: ReadingNow = { session: undefined, certainty: undefined, keyCount: 0 }
  readonly #set: ReplicaSet
  readonly #master: ReplicaServer
  readonly #replicas: readonly (readonly [Replica, ReplicaServer])[]
  readonly #sessions: readonly ReplicaSession[]
  #nowMs = 1000
  /** The master was asked then how far it is, and has not answered yet. */
  #askedMs: number | undefined
  /** Sessions whose reads are held. */
  #held: readonly Handover[] = []

  constructor(seed: number) {
    const random = createRandom(seed)
    this.#random = random
    const now = (): number => this.#nowMs
    this.#set = new ReplicaSet({ name: 'a', now, logger: SILENT })
    this.#master = new ReplicaServer(this.#errors, undefined)
    this.#replicas = Array.from({ length: random.integer(1, 4) }, (_, i) => {
      const server = new ReplicaServer(this.#errors, this.#master)
      return [new Replica(`10.0.0.1:${i}`, server as unknown as Shard), server] as const
    })
    this.#set.use(this.#replicas.map(([replica]) => replica))
    const readAfterWriteMs = random.pick([1, 1, 10])
    const settings = {
      master: this.#master as unknown as Shard,
      set: this.#set,
      policy: random.pick(POLICIES),
      zone: undefined,
      readAfterWriteMs,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      now,
    }
    const reader = new Reader(settings, this.#reading)
    const parts = { reader, reading: this.#reading, master: this.#master, lane: this.#lane, now }
    this.#sessions = Array.from({ length: random.integer(1, 4) }, (_, id) => {
      return new ReplicaSession(id, parts)
    })
  }

  /** Runs to the end and throws when a promise is broken. */
  run(): void {
    this.#timers.install(false)
    try {
      for (let step = 0; step < STEPS; step += 1) this.#step()
      this.#becomeQuiet()
    } finally {
      this.#timers.restore()
    }
  }

  #step(): void {
    const random = this.#random
    const [replica, server] = random.pick(this.#replicas)
    const choice = random.integer(0, 100)
    if (choice < 25) random.pick(this.#sessions).read()
    else if (choice < 32) random.pick(this.#sessions).write()
    else if (choice < 60) random.pick([this.#master, ...this.#servers]).execute()
    else if (choice < 72) server.copy(random.integer(0, 4))
    else if (choice < 82) this.#nowMs += random.pick(MOMENTS_MS)
    else if (choice < 86) this.#askedMs ??= this.#nowMs
    else if (choice < 90) this.#askMaster()
    else if (choice < 96) this.#askReplica(replica, server)
    else if (choice < 98) this.#handOver()
    else this.#misfortune(server)
  }

  get #servers(): readonly ReplicaServer[] {
    return this.#replicas.map(([, server]) => server)
  }

  #misfortune(server: ReplicaServer): void {
    switch (this.#random.integer(0, 6)) {
      case 0:
        server.loading = true
        break
      case 1:
        server.startAnew()
        break
      case 2:
        this.#master.break(this.#random.pick([true, false]))
        break
      default:
        server.break(this.#random.pick([true, false]))
    }
  }

  #askMaster(): void {
    if (this.#askedMs === undefined) return
    const told = { history: HISTORY, bytes: this.#master.version }
    this.#set.coverage.masterIs(told, this.#askedMs)
    this.#askedMs = undefined
  }

  #askReplica(replica: Replica, { version }: ReplicaServer): void {
    const { coverage } = this.#set
    const told = { history: HISTORY, bytes: version }
    const ailment = coverage.isKnown ? undefined : 'nobody knows how far its master is'
    this.#set.heard(replica, {
      ailment,
      coveredMs: coverage.until(told),
      lagBytes: coverage.lagOf(told),
      offset: version,
      roundTripMs: this.#random.pick([1, 2, 3]),
      zone: undefined,
    })
  }

  /** As the watch of replicas does it. */
  #handOver(): void {
    if (this.#held.length === 0) {
      this.#held = this.#set.takeWanting()
      for (const each of this.#held) each.hold()
    } else if (!this.#held.some(({ isFlying }) => isFlying)) {
      this.#askedMs ??= this.#nowMs
      this.#askMaster()
      for (const [replica, server] of this.#replicas) this.#askReplica(replica, server)
      this.#release()
    }
  }

  #release(): void {
    const held = this.#held
    this.#held = []
    for (const each of held) each.release()
  }

  /** No more requests and no more misfortune. */
  #becomeQuiet(): void {
    for (let round = 0; round < QUIET_ROUNDS_MAX; round += 1) {
      this.#release()
      for (const server of [this.#master, ...this.#servers]) while (server.owes) server.execute()
      if (this.#sessions.every(({ waitingFor }) => waitingFor === 0)) return
      this.#nowMs += 1
    }
    throw new Error('somebody waits for ever')
  }
}
