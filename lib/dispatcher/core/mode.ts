/** A state of a client in which its requests mean something else than usual. */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'

export interface Mode {
  /** Deals with the request, or returns false to let it take the usual way. */
  handle(request: ScannedRequest, row: CommandRow): boolean
  /** A request was refused before it got here: unknown command (no row), wrong arity. */
  refused(row?: CommandRow): void
  /** Commands queued since MULTI; undefined: none are being queued. */
  readonly queued?: number | undefined
  /** It carries out commands itself, each once: none may be deferred. */
  readonly replays?: boolean
  /** The client is gone. */
  abandon(): void
}
