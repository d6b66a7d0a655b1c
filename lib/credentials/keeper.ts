/**
 * Keeps credentials that expire: asks for the next ones in time, one question at a time, tells their
 * users when they come, and keeps the old ones in use while they live if no new ones come.
 */
import {
  CREDENTIALS_REFUSED_MS,
  CREDENTIALS_RETRY_MS_MAX,
  CREDENTIALS_RETRY_MS_MIN,
} from '../limits.ts'
import type { Logger } from '../logger.ts'
import { timerMs } from '../timer.ts'
import type { PrintedCredentials } from './credentials.ts'
import type { Answer, CredentialSource, Obtained } from './source.ts'

export interface KeeperOptions {
  readonly source: CredentialSource
  /** The user where none is printed; undefined: the default user. */
  readonly username: string | undefined
  /** How long a program's credentials live if it does not print that, milliseconds. */
  readonly lifeMs: number
  readonly logger: Logger
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

export interface Login {
  readonly username: string | undefined
  readonly password: string
}

/** For operators. Holds no secret. */
export interface KeeperState {
  readonly source: 'command' | 'file'
  /** The program without its arguments, or the file. */
  readonly name: string
  /** Age of the credentials, as far as we know; undefined until there are credentials. */
  readonly ageSeconds: number | undefined
  /** Undefined until there are credentials, and where no end is known. Below 0: they have expired. */
  readonly endsInSeconds: number | undefined
  /** How often new credentials came, and how often a question brought none. */
  readonly renewals: { readonly succeeded: number; readonly failed: number }
  /** Why the last question brought none; undefined when it did. */
  readonly problem: string | undefined
}

export class Keeper {
  readonly #options: KeeperOptions
  readonly #observers = new Set<() => void>()
  readonly #stopped = new AbortController()
  readonly #renewals = { succeeded: 0, failed: 0 }
  #login: Login | undefined
  /** By the clock of `now`. */
  #madeMs = 0
  #endsMs = Number.POSITIVE_INFINITY
  #dueMs = 0
  #askedMs = Number.NEGATIVE_INFINITY
  #asking = false
  #failures = 0
  #problem: string | undefined
  #endLogged = false
  #timer: NodeJS.Timeout | undefined

  /** Asks at once. */
  constructor(options: KeeperOptions) {
    this.#options = options
    void this.#ask()
  }

  /** What to log in with now; undefined while there are no valid credentials. */
  get current(): Login | undefined {
    const nowMs = this.#options.now()
    // Timers are late on a machine that slept.
    if (nowMs >= this.#dueMs) void this.#ask()
    return nowMs < this.#endsMs ? this.#login : undefined
  }

  /** Calls back whenever new credentials come. The returned function ends that. */
  observe(onRenewed: () => void): () => void {
    this.#observers.add(onRenewed)
    return () => this.#observers.delete(onRenewed)
  }

  /** A shard refused the credentials before their end: they may have been revoked. */
  refused(): void {
    if (this.#asking || this.#stopped.signal.aborted) return
    const nowMs = this.#options.now()
    const askMs = Math.max(nowMs, this.#askedMs + CREDENTIALS_REFUSED_MS)
    if (askMs < this.#dueMs) this.#askIn(askMs - nowMs)
  }

  get state(): KeeperState {
    const { source, now } = this.#options
    const nowMs = now()
    const isKnown = this.#login !== undefined
    return {
      source: source.kind,
      name: source.name,
      ageSeconds: isKnown ? Math.round((nowMs - this.#madeMs) / 1000) : undefined,
      endsInSeconds: isKnown ? this.#endsInSeconds : undefined,
      renewals: { ...this.#renewals },
      problem: this.#problem,
    }
  }

  close(): void {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    this.#observers.clear()
  }

  get #endsInSeconds(): number | undefined {
    if (this.#endsMs === Number.POSITIVE_INFINITY) return undefined
    return Math.round((this.#endsMs - this.#options.now()) / 1000)
  }

  async #ask(): Promise<void> {
    const { source, now } = this.#options
    const { signal } = this.#stopped
    if (this.#asking || signal.aborted) return
    this.#asking = true
    this.#askedMs = now()
    // No further question before the answer.
    this.#dueMs = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
    const answer = await source.ask(signal)
    this.#asking = false
    if (!signal.aborted) this.#hear(answer)
  }

  #hear(answer: Answer): void {
    if ('problem' in answer) this.#failed(this.#masked(answer.problem))
    else this.#obtained(answer)
  }

  #obtained({ credentials, ageMs }: Obtained): void {
    const { source, lifeMs, now } = this.#options
    const madeMs = now() - ageMs
    const endsMs = madeMs + (credentials.lifeMs ?? source.lifeMs(lifeMs))
    const isNew = !this.#isSame(credentials)
    if (isNew) {
      this.#renewals.succeeded++
      this.#madeMs = madeMs
      const { username = this.#options.username, password } = credentials
      this.#login = { username, password }
    }
    this.#endsMs = endsMs
    this.#failures = 0
    const wasBad = this.#problem !== undefined || this.#endLogged
    const isFirst = isNew && this.#renewals.succeeded === 1
    this.#problem = undefined
    this.#askIn(source.askAgainMs(Math.max(0, endsMs - now())))
    if (endsMs <= now()) this.#tellEnd('they were not renewed')
    else {
      this.#endLogged = false
      if (isFirst || wasBad) this.#options.logger.info(this.#facts, 'shard credentials are there')
    }
    if (isNew) for (const tell of this.#observers) tell()
  }

  #failed(problem: string): void {
    const { now, logger } = this.#options
    this.#renewals.failed++
    const wasGood = this.#problem === undefined
    this.#problem = problem
    const delayMs = Math.min(
      CREDENTIALS_RETRY_MS_MIN * 2 ** this.#failures,
      CREDENTIALS_RETRY_MS_MAX,
    )
    this.#failures++
    this.#askIn(delayMs)
    if (this.#login !== undefined && now() >= this.#endsMs) this.#tellEnd(problem)
    else if (wasGood) {
      logger.warn({ ...this.#facts, reason: problem }, 'shard credentials cannot be renewed')
    }
  }

  /** A program's complaint may contain the token that it printed before. */
  #masked(problem: string): string {
    return this.#login === undefined ? problem : problem.replaceAll(this.#login.password, '***')
  }

  /** Logs once that the credentials have expired. */
  #tellEnd(reason: string): void {
    if (this.#endLogged) return
    this.#endLogged = true
    this.#options.logger.error({ ...this.#facts, reason }, 'shard credentials have ended')
  }

  get #facts() {
    const { kind, name } = this.#options.source
    const endsInSeconds = this.#login === undefined ? undefined : this.#endsInSeconds
    return { source: kind, name, endsInSeconds }
  }

  #isSame({ username = this.#options.username, password }: PrintedCredentials): boolean {
    return this.#login?.password === password && this.#login.username === username
  }

  #askIn(wantedMs: number): void {
    const delayMs = Math.max(wantedMs, CREDENTIALS_RETRY_MS_MIN)
    this.#dueMs = this.#options.now() + delayMs
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), timerMs(delayMs))
    this.#timer.unref()
  }
}
