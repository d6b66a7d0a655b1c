/** One Redis behind us: its connections, and whether it can be reached. */
import type { NetConnectOpts } from 'node:net'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import { ShardConnection } from './connection.ts'
import { handshake, type LaneSettings } from './handshake.ts'
import { type ShardErrors, shardErrors } from './shard-errors.ts'

export interface ShardOptions {
  readonly name: string
  readonly address: NetConnectOpts
  readonly lane: LaneSettings
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly turn: Turn
  readonly logger: Logger
}

export class Shard {
  readonly name: string
  readonly errors: ShardErrors
  readonly #connections: readonly ShardConnection[]
  readonly #logger: Logger
  #up: boolean | undefined

  constructor(options: ShardOptions) {
    const { name, turn, connectTimeoutMs, requestTimeoutMs } = options
    this.name = name
    this.errors = shardErrors(name)
    this.#logger = options.logger
    this.#connections = Array.from(
      { length: options.connections },
      () =>
        new ShardConnection({
          address: options.address,
          handshake: handshake(options.lane),
          errors: this.errors,
          connectTimeoutMs,
          requestTimeoutMs,
          turn,
          onStateChange: () => this.#onStateChange(),
        }),
    )
  }

  connect(): void {
    for (const connection of this.#connections) connection.connect()
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  /**
   * The connection for a session: always the same one, so that the session's commands reach the
   * shard in the order in which it sent them.
   */
  connectionFor(sessionId: number): ShardConnection {
    return this.#connections[sessionId % this.#connections.length] as ShardConnection
  }

  /** At least one connection takes requests. */
  get up(): boolean {
    return this.#connections.some((connection) => connection.state === 'ready')
  }

  /** Requests sent and not answered. */
  get inFlight(): number {
    return this.#connections.reduce((sum, connection) => sum + connection.inFlight, 0)
  }

  /** Says once when the shard goes away and once when it is back. */
  #onStateChange(): void {
    const up = this.up
    if (up === this.#up) return
    this.#up = up
    if (up) {
      this.#logger.info({ shard: this.name }, 'shard up')
    } else {
      const reason = this.#connections.find((connection) => connection.state !== 'ready')?.reason
      this.#logger.warn({ shard: this.name, reason }, 'shard down')
    }
  }
}
