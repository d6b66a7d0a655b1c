/** Recognises the errors of a server that does not let us use a command. Pure. */
import { MINUS } from './bytes.ts'

/**
 * The user has no right to the command, or the server has no such command: it was renamed, or the
 * server is too old. The texts for a subcommand are those of Redis 4 (Syntax error), 6 and 7.
 */
const REFUSAL =
  /^-(?:NOPERM |ERR unknown command|ERR unknown subcommand|ERR Syntax error, try [A-Z]+ \()/i

/** Longer than all that REFUSAL looks at. */
const LOOKED_AT_BYTES = 48

/**
 * Whether the frame at `start` says that the command was not executed because we may not use it.
 */
export function isRefusal(bytes: Buffer, start: number): boolean {
  if (bytes[start] !== MINUS) return false
  return REFUSAL.test(bytes.toString('latin1', start, start + LOOKED_AT_BYTES))
}
