/** All counts. There is one object for each ambassador; it outlives reloads. */
import { STATS_WINDOW_SECONDS } from '../limits.ts'
import { CommandCounts } from './command-counts.ts'
import { newCutOffs } from './cut-offs.ts'
import type { ErrorCounts, ErrorKind } from './error-kinds.ts'
import { History } from './history.ts'
import { InHand } from './in-hand.ts'
import { Latencies, type TurnEnds } from './latencies.ts'
import { NearCacheStats } from './near-cache-stats.ts'
import { type ByteCount, ShardStats, sumOf } from './shard-stats.ts'
import { CounterWindow, HistogramWindow } from './window.ts'

const LOOK_MS = 1000

export class Stats {
  readonly commands = new CommandCounts()
  /** What clients were told; each request counts once. */
  readonly errors: ErrorCounts = {
    unavailable: 0,
    lost: 0,
    timedOut: 0,
    overloaded: 0,
    refused: 0,
    shard: 0,
  }
  readonly inHand = new InHand()
  readonly latencies: Latencies
  bytesFromClients = 0
  readonly toClients: ByteCount = { bytes: 0 }
  /** Clients whose sockets were not read for a while, because they have too much under way. */
  pauses = 0
  readonly cutOffs = newCutOffs()
  /** Elements that were popped for clients which had left by then. */
  popsLost = 0
  readonly reloads = { succeeded: 0, failed: 0, lastSucceeded: true }
  readonly history = new History()
  readonly nearCache = new NearCacheStats()
  readonly #shards = new Map<string, ShardStats>()
  readonly #requestRate = new CounterWindow()
  readonly #errorRate = new CounterWindow()
  readonly #windows: Readonly<Record<'total' | 'shard' | 'own', HistogramWindow>>
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #lookedRequests = 0
  #lookedErrors = 0

  constructor(turn: TurnEnds) {
    this.latencies = new Latencies(turn)
    const { total, shard, own } = this.latencies
    this.#windows = {
      total: new HistogramWindow(total),
      shard: new HistogramWindow(shard),
      own: new HistogramWindow(own),
    }
  }

  /** By name: a shard that has moved goes on counting. */
  shard(name: string): ShardStats {
    const known = this.#shards.get(name) ?? new ShardStats()
    this.#shards.set(name, known)
    return known
  }

  /** Forgets shards that are no longer configured. */
  keepShards(names: ReadonlySet<string>): void {
    for (const name of this.#shards.keys()) if (!names.has(name)) this.#shards.delete(name)
  }

  /** A request was answered with an error. */
  addError(command: number, kind: ErrorKind): void {
    this.errors[kind]++
    this.commands.addError(command)
  }

  /** Looks once a second, until `stop`. */
  start(): void {
    this.#timer = setInterval(() => this.look(Date.now()), LOOK_MS)
    // Counting must not keep the process alive.
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** One look, at `nowMs` since the epoch. */
  look(nowMs: number): void {
    const { requests } = this.commands
    const errors = sumOf(this.errors)
    this.#looks++
    this.#requestRate.look(requests)
    this.#errorRate.look(errors)
    for (const window of Object.values(this.#windows)) window.look()
    for (const shard of this.#shards.values()) shard.look()
    const { p50, p99 } = this.#windows.total.lastQuantiles
    this.history.add({
      atMs: nowMs,
      requests: requests - this.#lookedRequests,
      errors: errors - this.#lookedErrors,
      p50Seconds: p50,
      p99Seconds: p99,
    })
    this.#lookedRequests = requests
    this.#lookedErrors = errors
  }

  /** The last seconds. */
  get window() {
    const { total, shard, own } = this.#windows
    return {
      seconds: Math.min(STATS_WINDOW_SECONDS, this.#looks),
      requestsPerSecond: this.#requestRate.perSecond,
      errorsPerSecond: this.#errorRate.perSecond,
      latencySeconds: { total: total.quantiles, shard: shard.quantiles, own: own.quantiles },
    }
  }
}
