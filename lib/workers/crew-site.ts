/** The admin endpoint of several workers: what they tell, as if it were one ambassador that tells it. */
import { type Answer, json, text } from '../admin/answer.ts'
import { EXPOSITION_TYPE, exposition, type Family } from '../admin/metrics/exposition.ts'
import { ProcessWatch } from '../admin/metrics/process-figures.ts'
import { bigRepliesPage, hotKeysPage, slowLogPage } from '../admin/pages/lookout-pages.ts'
import { configPage, indexPage, readinessPage } from '../admin/pages/pages.ts'
import { preflightPage } from '../admin/pages/preflight-page.ts'
import { hasParameter } from '../admin/pages/query.ts'
import type { Site, Visit } from '../admin/site.ts'
import type { Steering } from '../admin/steering.ts'
import type { Config } from '../config/config.ts'
import { Lookout } from '../stats/lookout/lookout.ts'
import { joinParts, type LookoutPart } from '../stats/lookout/lookout-part.ts'
import type { AllAnswers, AnyKind, AnyQuestion, Readiness, Report, Statistics } from './messages.ts'
import { Counted } from './sums/counted.ts'
import { sumFamilies, withValue } from './sums/sum-metrics.ts'
import { bothProcesses, sumStats } from './sums/sum-stats.ts'

/** The workers, as far as the pages need them. */
export interface Shown {
  /** The configuration in use. */
  readonly config: Config
  readonly steering: Steering | undefined
  readonly draining: boolean
  /** How many there should be, how many serve, and how many have died. */
  readonly count: number
  readonly serving: number
  readonly deaths: number
  readonly reloads: {
    readonly succeeded: number
    readonly failed: number
    readonly lastSucceeded: boolean
  }
  /** Asks all that serve, or the first of them. Undefined: one lives and has not answered. */
  ask<K extends AnyKind>(
    question: AnyQuestion<K>,
    whom: 'all' | 'first',
  ): Promise<AllAnswers[K][] | undefined>
}

const SILENCE = 'a worker does not answer'
const SILENT = text(503, `${SILENCE}\n`)

export class CrewSite implements Site {
  /** What has been counted by workers that have died. */
  readonly counted = new Counted()
  readonly #crew: Shown
  readonly #processWatch = new ProcessWatch()

  constructor(crew: Shown) {
    this.#crew = crew
  }

  get hosts(): readonly string[] {
    return this.#crew.config.watch.adminHosts ?? []
  }

  get steering(): Steering | undefined {
    return this.#crew.steering
  }

  page(path: string, visit: Visit): Answer | Promise<Answer> | undefined {
    const { config } = this.#crew
    const { query } = visit
    switch (path) {
      case '/':
        return this.#ready(({ unready }) => indexPage(visit, config, unready))
      case '/livez':
        return text(200, 'ok\n')
      case '/readyz':
        return this.#ready(({ unready, shards }) => readinessPage(query, unready, shards))
      case '/stats':
        return this.#stats().then((stats) => (stats === undefined ? SILENT : json(200, stats)))
      case '/metrics':
        return this.#metrics()
      case '/config':
        return configPage(config)
      case '/route':
      case '/ring':
        return this.#crew.ask({ kind: 'page', path, query }, 'first').then((answers) => {
          return answers?.[0] ?? SILENT
        })
      case '/events':
        return visit.streams.answer()
      case '/slowlog':
        return this.#noted(slowLogPage)
      case '/hotkeys':
        return this.#noted(hotKeysPage)
      case '/bigreplies':
        return this.#noted(bigRepliesPage)
      case '/preflight': {
        const asText = visit.wantsText || hasParameter(query, 'text')
        return preflightPage({ preflight: () => undefined }, asText)
      }
      default:
        return undefined
    }
  }

  newestStats(tell: (stats: unknown) => void): void {
    void this.#stats().then((stats) => {
      if (stats !== undefined) tell({ ...stats, history: stats.history.slice(-1) })
    })
  }

  close(): void {
    this.#processWatch.stop()
  }

  async #ready(pageOf: (readiness: Readiness) => Answer): Promise<Answer> {
    const { count, draining } = this.#crew
    const answers = await this.#crew.ask({ kind: 'ready' }, 'all')
    const shards = new Map<string, boolean>()
    for (const { name, up } of answers?.flatMap((answer) => answer.shards) ?? []) {
      shards.set(name, up && shards.get(name) !== false)
    }
    const unready = draining ? 'draining' : unreadyBecause(answers, count)
    return pageOf({ unready, shards: [...shards].map(([name, up]) => ({ name, up })) })
  }

  async #reports(clears: boolean): Promise<readonly [Report, ...Report[]] | undefined> {
    const reports = await this.#crew.ask({ kind: 'report', clears }, 'all')
    const [first, ...others] = reports ?? []
    return first === undefined ? undefined : [first, ...others]
  }

  async #stats(): Promise<Statistics | undefined> {
    const reports = await this.#reports(false)
    if (reports === undefined) return undefined
    const [first, ...others] = reports
    const parts = [...others.map(({ stats }) => stats), ...this.counted.stats]
    const sum = sumStats([first.stats, ...parts])
    const { reloads, draining, serving, count } = this.#crew
    const { succeeded, failed } = reloads
    return {
      ...sum,
      ready: sum.ready && !draining && serving === count,
      draining,
      reloads: { succeeded, failed },
      process: bothProcesses(sum.process, this.#processWatch.read()),
    }
  }

  async #metrics(): Promise<Answer> {
    const reports = await this.#reports(true)
    if (reports === undefined) return SILENT
    const living = reports.map(({ families }) => families)
    const own = this.#ofProcess(living[0] ?? [])
    const sum = sumFamilies([...living, ...this.counted.families(living[0] ?? []), own])
    this.#processWatch.clear()
    const { count, serving, deaths, reloads, draining } = this.#crew
    const { succeeded, failed, lastSucceeded } = reloads
    const values: Readonly<Record<string, readonly number[]>> = {
      ambassador_workers: [serving],
      ambassador_worker_deaths_total: [deaths],
      ambassador_config_reloads_total: [succeeded, failed],
      ambassador_config_last_reload_successful: [Number(lastSucceeded)],
      ...(draining || serving < count ? { ambassador_ready: [0] } : {}),
      ambassador_draining: [Number(draining)],
    }
    const families = Object.entries(values).reduce(
      (all, [name, numbers]) => withValue(all, name, numbers),
      sum,
    )
    return { status: 200, type: EXPOSITION_TYPE, body: exposition(families) }
  }

  /** What this process adds to the figures of all processes. */
  #ofProcess(families: readonly Family[]): Family[] {
    const { residentBytes, cpuSeconds, heapUsedBytes, heapTotalBytes, externalBytes, lagSeconds } =
      this.#processWatch.read()
    const values: Readonly<Record<string, number>> = {
      process_cpu_seconds_total: cpuSeconds,
      process_resident_memory_bytes: residentBytes,
      nodejs_heap_size_used_bytes: heapUsedBytes,
      nodejs_heap_size_total_bytes: heapTotalBytes,
      nodejs_external_memory_bytes: externalBytes,
      nodejs_eventloop_lag_p50_seconds: lagSeconds.p50,
      nodejs_eventloop_lag_p99_seconds: lagSeconds.p99,
      nodejs_eventloop_lag_max_seconds: lagSeconds.max,
    }
    return families.map((family) => {
      const value = values[family.name]
      return { ...family, samples: value === undefined ? [] : [{ value }] }
    })
  }

  async #noted(pageOf: (rules: Lookout, part: LookoutPart) => object): Promise<Answer> {
    const answers = await this.#crew.ask({ kind: 'lookout' }, 'all')
    const [first, ...others] = answers ?? []
    if (first === undefined) return SILENT
    const rules = new Lookout()
    rules.configure(this.#crew.config.watch)
    return json(200, pageOf(rules, joinParts(first, others)))
  }
}

/** Why the workers, of which there should be `count`, are not ready together; undefined: they are. */
function unreadyBecause(
  answers: readonly Readiness[] | undefined,
  count: number,
): string | undefined {
  if (answers === undefined) return SILENCE
  if (answers.length < count) return `${answers.length} of ${count} workers serve`
  return answers.find(({ unready }) => unready !== undefined)?.unready
}
