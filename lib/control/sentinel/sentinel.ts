/**
 * One sentinel: a connection that listens to its events and one that asks it about masters, both made
 * again when lost. Events alone are not enough: those in the moment of connecting are lost, so the
 * sentinel is asked again after each subscription.
 */
import {
  SENTINEL_ANSWER_MS,
  SENTINEL_ASK_MS,
  SENTINEL_ASK_SOON_MS,
  SENTINEL_RETRY_MS,
} from '../../limits.ts'
import { timerMs } from '../../timer.ts'
import {
  type ControlOptions,
  openControl,
  openListener,
  type RedisAddress,
  type RedisClient,
} from '../ioredis.ts'
import { type MasterReport, readMaster, readSentinelId } from './reports.ts'

/** What comes from a sentinel. `master`: the name by which sentinels know a master. */
export interface SentinelEvents {
  /** Comes before the first answer of each connection; `id` is undefined before Redis 6.2. */
  readonly identified: (id: string | undefined) => void
  /** `report` is undefined when the sentinel does not know this master. */
  readonly answered: (master: string, report: MasterReport | undefined) => void
  /** `words` follow the event's name: `mymaster 10.0.0.1 6379 10.0.0.2 6379`. */
  readonly published: (event: string, words: readonly string[]) => void
  /** It can be asked, or cannot any more; `why` is safe for a log. */
  readonly reachable: (isReachable: boolean, why: string | undefined) => void
}

export interface SentinelOptions {
  readonly address: RedisAddress
  readonly username: string | undefined
  readonly password: string | undefined
  /** Asked anew each time. */
  readonly masters: () => Iterable<string>
  readonly events: SentinelEvents
}

const PATTERNS = [
  ...['+switch-master', '+selected-slave', '+promoted-slave', '-failover-abort-*'],
  ...['+sentinel', '+reset-master'],
]

export class Sentinel {
  readonly #options: SentinelOptions
  readonly #control: ControlOptions
  #listener: RedisClient | undefined
  #asker: RedisClient | undefined
  #timer: NodeJS.Timeout | undefined
  /** The connection over which the sentinel has said who it is. */
  #identified: RedisClient | undefined
  #asking = false
  /** A question was wanted while an answer was under way; that answer may be too old. */
  #askAgain = false
  #hurried = false
  #reachable: boolean | undefined
  #closed = false

  /** Connects at once. */
  constructor(options: SentinelOptions) {
    this.#options = options
    const { username, password } = options
    this.#control = { username, password, timeoutMs: SENTINEL_ANSWER_MS }
    this.#connect()
  }

  /** It answers. */
  get reachable(): boolean {
    return this.#reachable === true
  }

  /** From now on it is asked every second, or seldom again. */
  hurry(hurried: boolean): void {
    if (this.#hurried === hurried) return
    this.#hurried = hurried
    if (!this.#asking && this.#asker !== undefined) this.#plan()
  }

  /** Asks about all masters now. */
  ask(): void {
    if (this.#closed || this.#asker === undefined) return
    if (this.#asking) {
      this.#askAgain = true
      return
    }
    clearTimeout(this.#timer)
    void this.#askAll(this.#asker)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#disconnect()
  }

  #connect(): void {
    const { address, events } = this.#options
    const listener = openListener(address, this.#control)
    const asker = openControl(address, this.#control)
    this.#listener = listener
    this.#asker = asker
    listener.on('pmessage', (_pattern: string, event: string, text: string) => {
      if (this.#listener === listener) events.published(event, text.split(' '))
    })
    for (const client of [listener, asker]) {
      let first: Error | undefined
      client.on('error', (error: Error) => {
        first ??= error
      })
      client.once('end', () => {
        if (this.#asker === asker) this.#lost(first?.message ?? 'connection lost')
      })
    }
    listener.psubscribe(...PATTERNS).then(
      () => this.ask(),
      (error: unknown) => {
        if (this.#asker === asker) this.#lost(textOf(error))
      },
    )
  }

  async #askAll(asker: RedisClient): Promise<void> {
    const { masters, events } = this.#options
    this.#asking = true
    this.#askAgain = false
    try {
      if (this.#identified !== asker) {
        const id = await readSentinelId(asker)
        if (this.#asker !== asker) return
        this.#identified = asker
        events.identified(id)
        if (this.#closed) return
      }
      for (const master of masters()) {
        const report = await readMaster(asker, master)
        if (this.#asker !== asker) return
        this.#told(true, undefined)
        events.answered(master, report)
      }
      // Without a PING a hanging connection would look like a quiet one.
      await this.#listener?.ping()
    } catch (error) {
      if (this.#asker === asker) this.#lost(textOf(error))
    } finally {
      this.#asking = false
      if (this.#asker === asker) this.#plan()
    }
  }

  #plan(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const soon = this.#hurried ? SENTINEL_ASK_SOON_MS : SENTINEL_ASK_MS
    this.#timer = setTimeout(() => this.ask(), timerMs(this.#askAgain ? 0 : soon))
    this.#timer.unref()
  }

  #lost(why: string): void {
    this.#disconnect()
    if (this.#closed) return
    this.#told(false, why)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect(), SENTINEL_RETRY_MS)
    this.#timer.unref()
  }

  #told(isReachable: boolean, why: string | undefined): void {
    if (this.#reachable === isReachable) return
    this.#reachable = isReachable
    this.#options.events.reachable(isReachable, why)
  }

  #disconnect(): void {
    const { listener, asker } = { listener: this.#listener, asker: this.#asker }
    this.#listener = undefined
    this.#asker = undefined
    listener?.disconnect()
    asker?.disconnect()
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
