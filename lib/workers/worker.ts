/** One worker: an ambassador that is told by the supervisor what to do, and answers what is asked. */
import { metricFamilies } from '../admin/metrics/metrics.ts'
import { ProcessWatch } from '../admin/metrics/process-figures.ts'
import { ringPage, routePage } from '../admin/pages/pages.ts'
import { unreadyBecause } from '../admin/pages/readiness.ts'
import { statsOf } from '../admin/pages/stats-page.ts'
import { type Ambassador, startAmbassador } from '../ambassador.ts'
import type { Logger } from '../logger.ts'
import type {
  AllAnswers,
  AnyKind,
  AnyQuestion,
  Assignment,
  FromWorker,
  Refusal,
  Report,
  ToWorker,
} from './messages.ts'
import { Others } from './others.ts'

/** The process in which it runs. */
export interface WorkerProcess {
  /** Sends to the supervisor. */
  tell(message: FromWorker): void
  useLogLevel(level: string): void
  /** All is done. */
  end(): void
}

/**
 * Starts the ambassador and tells the supervisor that it serves, or what the system says against it. Rejects with
 * any other error.
 */
export async function startWorker(
  assignment: Assignment,
  logger: Logger,
  process: WorkerProcess,
): Promise<RunningWorker | undefined> {
  const { config, index, count, idsAbove, startedAtMs } = assignment
  const others = new Others((message) => process.tell(message))
  const shardChanged = (name: string, up: boolean) => process.tell({ type: 'shard', name, up })
  const seat = { index, count, idsAbove, startedAtMs, colleagues: others, shardChanged }
  try {
    const ambassador = await startAmbassador(config, logger, seat)
    process.tell({ type: 'ready', addresses: ambassador.listening.clients })
    return new RunningWorker(ambassador, others, process)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const { message, code, syscall } = error
    process.tell({ type: 'failed', refusal: { message, code, syscall } })
    return undefined
  }
}

export class RunningWorker {
  readonly #ambassador: Ambassador
  readonly #others: Others
  readonly #process: WorkerProcess
  readonly #watch = new ProcessWatch()

  constructor(ambassador: Ambassador, others: Others, process: WorkerProcess) {
    this.#ambassador = ambassador
    this.#others = others
    this.#process = process
  }

  heard(message: ToWorker): void {
    switch (message.type) {
      case 'reload':
        this.#ambassador.reload(message.config)
        this.#process.tell({ type: 'reloaded', number: message.number })
        break
      case 'level':
        this.#process.useLogLevel(message.level)
        break
      case 'question':
        this.#answer(message.number, message.question)
        break
      case 'answers':
        this.#others.answered(message.number, message.answers)
        break
      case 'stop':
        void this.#ambassador.stop().then(() => this.#process.end())
        break
      case 'start':
    }
  }

  #answer(number: number, question: AnyQuestion): void {
    const done = (answer: AllAnswers[AnyKind]) => {
      this.#process.tell({ type: 'answer', number, kind: question.kind, answer })
    }
    const { snapshot } = this.#ambassador
    switch (question.kind) {
      case 'report':
        done(this.#report(question.clears))
        break
      case 'ready':
        done({
          unready: unreadyBecause(snapshot),
          shards: snapshot.shards.map(({ name, up }) => ({ name, up })),
        })
        break
      case 'page': {
        const { path, query } = question
        done(path === '/route' ? routePage({ snapshot, query }) : ringPage({ snapshot }))
        break
      }
      default:
        this.#ambassador.answer(question, done)
    }
  }

  #report(clears: boolean): Report {
    const { snapshot } = this.#ambassador
    const process = this.#watch.read()
    if (clears) this.#watch.clear()
    return {
      stats: { ...statsOf(snapshot), process },
      families: metricFamilies(snapshot, process),
    }
  }
}

/** What the system has against an address. */
function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'syscall' in error && 'code' in error
}
