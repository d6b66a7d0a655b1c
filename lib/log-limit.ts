/**
 * A logger for what may happen again and again: a shard that flaps, clients that are closed. The first
 * LOG_BURST_LINES lines about a subject pass at once; the others are summed up, one line for each
 * message every LOG_SUM_MS. The last line about a subject always has its latest state.
 */
import { LOG_BURST_LINES, LOG_SUM_MS } from './limits.ts'
import type { Logger, LogMethod } from './logger.ts'

type Level = keyof Logger

/** A line that waits, and how often it came. */
interface Waiting {
  readonly level: Level
  readonly facts: object
  readonly times: number
}

interface Subject {
  /** Lines that may still pass at once. */
  burst: number
  /** By message, in the order in which they came last. */
  readonly waiting: Map<string, Waiting>
}

export class LimitedLogger implements Logger {
  readonly debug: LogMethod = (facts, message) => this.#log('debug', facts, message)
  readonly info: LogMethod = (facts, message) => this.#log('info', facts, message)
  readonly warn: LogMethod = (facts, message) => this.#log('warn', facts, message)
  readonly error: LogMethod = (facts, message) => this.#log('error', facts, message)
  readonly #logger: Logger
  /** Subjects with recent lines. */
  readonly #subjects = new Map<string, Subject>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Logs the lines that wait. Later lines pass at once. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#tellAll()
    this.#subjects.clear()
  }

  #log(level: Level, facts: object, message: string): void {
    if (this.#closed) {
      this.#logger[level](facts, message)
      return
    }
    const subject = this.#subjectOf(facts, message)
    const { waiting } = subject
    if (subject.burst > 0) {
      subject.burst--
      this.#logger[level](facts, message)
      return
    }
    const times = (waiting.get(message)?.times ?? 0) + 1
    waiting.delete(message)
    waiting.set(message, { level, facts, times })
  }

  /**
   * All lines about one shard are one subject, so that its latest line comes last. A replica is a
   * subject, too.
   */
  #subjectOf(facts: object, message: string): Subject {
    const replica = 'replica' in facts ? ` replica ${facts.replica}` : ''
    const name = 'shard' in facts ? `shard ${facts.shard}${replica}` : message
    let subject = this.#subjects.get(name)
    if (subject === undefined) {
      subject = { burst: LOG_BURST_LINES, waiting: new Map() }
      this.#subjects.set(name, subject)
      this.#arm()
    }
    return subject
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#sumUp(), LOG_SUM_MS).unref()
  }

  /**
   * Logs the sums. A subject without new lines is forgotten, so that its next lines pass at once.
   */
  #sumUp(): void {
    this.#timer = undefined
    for (const [name, { waiting }] of this.#subjects) {
      if (waiting.size === 0) this.#subjects.delete(name)
    }
    this.#tellAll()
    if (this.#subjects.size > 0) this.#arm()
  }

  #tellAll(): void {
    for (const subject of this.#subjects.values()) {
      for (const [message, { level, facts, times }] of subject.waiting) {
        this.#logger[level]({ ...facts, times }, message)
      }
      subject.waiting.clear()
      subject.burst = 0
    }
  }
}
