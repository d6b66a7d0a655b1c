/**
 * Logs that a shard is up but refuses a connection of ours, so that requests over it get
 * `unavailable`. It logs one line when that begins, even if many connections fail.
 */
import { CONNECTION_TROUBLE_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { CLOSED_HERE, type ShardConnection } from './connection/connection.ts'

/** `lease`: for one transaction or one blocked client. `lane`: shared, in a lane besides the first. */
export type ConnectionKind = 'lease' | 'lane'

export type WatchedConnection = Pick<ShardConnection, 'state' | 'reason'>

export interface ConnectionTroubleOptions {
  readonly shard: string
  /** The shard takes requests, over other connections. */
  readonly isUp: () => boolean
  readonly now: () => number
  readonly logger: Logger
}

export class ConnectionTrouble {
  readonly #options: ConnectionTroubleOptions
  #toldAtMs = Number.NEGATIVE_INFINITY
  /** It has been logged, and no connection has succeeded since. */
  #lasts = false

  constructor(options: ConnectionTroubleOptions) {
    this.#options = options
  }

  /** Opens a connection that is watched; `open` gets what to call with each change of its state. */
  watched<Connection extends WatchedConnection>(
    kind: ConnectionKind,
    open: (watch: () => void) => Connection,
  ): Connection {
    let wasReady = false
    const connection = open(() => {
      const { state, reason } = connection
      if (state === 'ready') {
        wasReady = true
        this.#lasts = false
        return
      }
      // A lane that has never worked, because of a wrong password for example, concerns only its
      // client, who gets the error.
      const failed =
        kind === 'lease' ? state === 'closed' && !wasReady : state === 'waiting' && wasReady
      if (failed) this.#tell(kind, reason)
    })
    return connection
  }

  #tell(kind: ConnectionKind, reason: string | undefined): void {
    const { shard, isUp, now, logger } = this.#options
    const nowMs = now()
    if (this.#lasts || nowMs - this.#toldAtMs < CONNECTION_TROUBLE_MS) return
    if (reason === CLOSED_HERE || !isUp()) return
    this.#lasts = true
    this.#toldAtMs = nowMs
    logger.warn({ shard, kind, reason }, 'connection failed though the shard is up')
  }
}
