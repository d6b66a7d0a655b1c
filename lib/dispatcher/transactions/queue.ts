/** How the commands of a transaction that shards execute wait for EXEC. */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'

export interface Queue {
  /** MULTI, which is answered. */
  begin(request: ScannedRequest): void
  /** The command is queued, deferred or refused, and the client is answered. */
  add(request: ScannedRequest, row: CommandRow): void
  /** False: a change cannot be queued, and the client has heard why. */
  canAddChange(): boolean
  /** Queues what a command that is answered here does to the connection of each shard. */
  addChange(frame: Buffer): void
  /** EXEC */
  exec(request: ScannedRequest): void
  /** DISCARD */
  discard(request: ScannedRequest): void
  /** Ends it on our own account. */
  drop(): void
  /** The client is gone. */
  abandon(): void
}
