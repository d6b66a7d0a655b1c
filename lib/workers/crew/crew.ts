/** The workers' processes: started, heard, replaced when they die, ended. */
import cluster from 'node:cluster'
import { WORKER_END_MS, WORKER_SETTLED_MS } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import { timerMs } from '../../timer.ts'
import type { FromWorker, ToWorker } from '../messages.ts'
import { type Ending, Member } from './member.ts'
import { idsAboveOf, restartDelayMs } from './replacing.ts'

/** What a worker runs: a file, and its arguments. */
export interface Program {
  readonly exec: string
  readonly args: readonly string[]
}

export interface CrewOptions {
  readonly count: number
  readonly logger: Logger
  readonly program: Program
  heard(member: Member, message: FromWorker): void
  /** It is gone, and no message comes from it any more. */
  gone(member: Member): void
}

export class Crew {
  /** Workers that ended without being told to. */
  deaths = 0
  /** How the start has failed. */
  failure: Error | undefined
  readonly #options: CrewOptions
  readonly #members = new Set<Member>()
  readonly #restarts = new Map<number, NodeJS.Timeout>()
  /** By index: deaths in a row, each soon after the worker began to serve. */
  readonly #deathsInRow: number[]
  readonly #waiting = new Set<() => void>()
  #started = 0
  /** All have served. */
  #isComplete = false
  #isEnding = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#deathsInRow = new Array(options.count).fill(0)
  }

  /** Resolves once all serve, or `failure` says why not. */
  async start(): Promise<void> {
    // Each worker in turn, whatever it has to do: the kernel would give a burst of clients to one of them (decision 26).
    cluster.schedulingPolicy = cluster.SCHED_RR
    const { count, program } = this.#options
    const { exec, args } = program
    cluster.setupPrimary({ exec, args: [...args], serialization: 'advanced' })
    for (let index = 0; index < count; index++) this.#fork(index)
    await this.until(() => this.serving.length === count || this.failure !== undefined)
    this.#isComplete = true
  }

  /** Those that serve, by their places. */
  get serving(): Member[] {
    const serving = [...this.#members].filter(({ readySinceMs }) => readySinceMs !== undefined)
    return serving.sort((one, other) => one.index - other.index)
  }

  /** Those that have a configuration hear it; the others will be given the newest one. */
  tellAll(message: ToWorker): void {
    for (const member of this.#members) if (member.reload !== undefined) member.tell(message)
  }

  /** Resolves when the test holds; it is made again after each message of a worker, and each end. */
  async until(test: () => boolean): Promise<void> {
    while (!test()) await new Promise<void>((resolve) => this.#waiting.add(resolve))
  }

  isReady(member: Member): void {
    member.readySinceMs = performance.now()
    if (!this.#isComplete) return
    const { index, pid } = member
    this.#options.logger.info({ worker: index, pid }, 'worker replaced')
  }

  /** Lets all end by themselves; those that are left after `timeoutMs` are killed. */
  async end(timeoutMs: number): Promise<void> {
    this.#isEnding = true
    for (const timer of this.#restarts.values()) clearTimeout(timer)
    for (const member of this.#members) {
      if (member.readySinceMs === undefined) member.kill()
      else member.tell({ type: 'stop' })
    }
    const kill = () => {
      for (const member of this.#members) member.kill()
    }
    const timer = setTimeout(kill, timerMs(timeoutMs + WORKER_END_MS))
    await this.until(() => this.#members.size === 0)
    clearTimeout(timer)
  }

  #fork(index: number): void {
    const events = {
      heard: (member: Member, message: FromWorker) => {
        this.#options.heard(member, message)
        this.#lookAgain()
      },
      exited: (member: Member, ending: Ending) => {
        this.#exited(member, ending)
        this.#lookAgain()
      },
    }
    const idsAbove = idsAboveOf(this.#started++)
    this.#members.add(new Member(cluster.fork(), index, idsAbove, events))
  }

  #lookAgain(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  #exited(member: Member, ending: Ending): void {
    this.#members.delete(member)
    this.#options.gone(member)
    if (this.#isEnding) return
    if (this.#isComplete) this.#replace(member, ending)
    else this.failure ??= failureOf(member, ending)
  }

  #replace(member: Member, { code, signal }: Ending): void {
    const { index, pid, readySinceMs, refusal } = member
    this.deaths++
    const servedMs = readySinceMs === undefined ? 0 : performance.now() - readySinceMs
    const inRow = servedMs >= WORKER_SETTLED_MS ? 0 : (this.#deathsInRow[index] ?? 0)
    this.#deathsInRow[index] = inRow + 1
    const restartInMs = restartDelayMs(inRow)
    const how = signal === null ? { code } : { signal }
    const reason = refusal === undefined ? {} : { reason: refusal.message }
    const facts = { worker: index, pid, ...how, ...reason, restartInMs }
    this.#options.logger.error(facts, 'worker died')
    const restart = () => {
      this.#restarts.delete(index)
      this.#fork(index)
    }
    this.#restarts.set(index, setTimeout(restart, timerMs(restartInMs)))
  }
}

/** As the system would say it, if it has said it. */
function failureOf({ index, refusal }: Member, { code, signal }: Ending): Error {
  if (refusal !== undefined) return Object.assign(new Error(refusal.message), refusal)
  const how = signal ?? `code ${code}`
  const error = new Error(`worker ${index} ended before it served (${how})`)
  return Object.assign(error, { code: 'ERR_WORKER', syscall: 'fork' })
}
