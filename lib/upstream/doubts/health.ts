/**
 * Whether a shard serves: a connection to it works, and it does not answer LOADING, MASTERDOWN or BUSY to
 * everything. While it does that it is asked again by itself, so that its return needs no client.
 */
import { REFUSING_ASK_MS_MAX, REFUSING_ASK_MS_MIN } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import { requestFrame } from '../../resp/encode.ts'
import { timerMs } from '../../timer.ts'
import type { ShardConnection } from '../connection/connection.ts'
import { notServing } from '../connection/making/handshake.ts'
import type { ReplySink } from '../reply-sink.ts'
import { Seldom } from './seldom.ts'

const PING = requestFrame(['PING'])

export interface HealthOptions {
  readonly shard: string
  readonly now: () => number
  readonly logger: Logger
  /** It is known for the first time, or another than before. */
  readonly onChange: (up: boolean) => void
  /** It has answered a PING with a refusal. */
  readonly onRefused: () => void
}

export class Health implements ReplySink {
  readonly #options: HealthOptions
  readonly #doubts: Seldom
  #connections: readonly ShardConnection[] = []
  #told: boolean | undefined
  /** What it answered to the newest PING, unless that was fine. */
  #notServing: string | undefined
  #askAgainMs = REFUSING_ASK_MS_MIN
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: HealthOptions) {
    this.#options = options
    this.#doubts = new Seldom(() => this.#ask(), options.now)
  }

  /** The connections that tell. */
  watch(connections: readonly ShardConnection[]): void {
    this.#connections = connections
  }

  get up(): boolean {
    return this.#notServing === undefined && this.#connections.some(({ isUp }) => isUp)
  }

  /** What was told last; undefined: nothing yet. */
  get told(): boolean | undefined {
    return this.#told
  }

  /** One of the connections has begun to work, or has ceased to. Each begins with a PING. */
  changed(connection: ShardConnection): void {
    if (connection.state === 'ready') this.#hear(connection.notServing)
    else this.#tell()
  }

  /** A client was answered what a shard answers that refuses everything. Its own words count only. */
  doubt(): void {
    if (this.#notServing === undefined) this.#doubts.ask()
  }

  close(): void {
    this.#closed = true
    this.#doubts.close()
    clearTimeout(this.#timer)
  }

  /** ReplySink, for PING. */
  reply(_ticket: number, bytes: Buffer, start: number, end: number): void {
    this.#hear(notServing(bytes.subarray(start, end)))
  }

  /** ReplySink: late, or lost; then the next connection begins with a PING. */
  failed(): void {
    if (this.#notServing !== undefined) this.#askLater()
  }

  #hear(refused: string | undefined): void {
    if (this.#closed) return
    this.#notServing = refused
    if (refused === undefined) this.#askAgainMs = REFUSING_ASK_MS_MIN
    else {
      this.#askLater()
      this.#options.onRefused()
    }
    this.#tell()
  }

  #askLater(): void {
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#ask()
    }, timerMs(this.#askAgainMs))
    this.#askAgainMs = Math.min(2 * this.#askAgainMs, REFUSING_ASK_MS_MAX)
  }

  #ask(): void {
    const connection = this.#connections.find(({ state }) => state === 'ready')
    connection?.send(this, 0, PING, 0, PING.length, true)
  }

  /** Says once when the shard goes away and once when it is back. */
  #tell(): void {
    const { up } = this
    // A shard that we leave has not gone down.
    if (up === this.#told || this.#closed) return
    this.#told = up
    const { shard, logger, onChange } = this.#options
    onChange(up)
    const lost = this.#connections.find(({ state }) => state !== 'ready')
    if (up) logger.info({ shard }, 'shard up')
    else logger.warn({ shard, reason: this.#notServing ?? lost?.reason }, 'shard down')
  }
}
