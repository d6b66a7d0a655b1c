/** What a server answers to a command that it does not let us use. Pure. */
import { MINUS } from './bytes.ts'

/**
 * No right to it, or no such command: it has been renamed away, or the server is too old for it. The
 * words for a subcommand are those of Redis 4 (Syntax error), 6 and 7.
 */
const REFUSAL =
  /^-(?:NOPERM |ERR unknown command|ERR unknown subcommand|ERR Syntax error, try [A-Z]+ \()/i

/** Longer than all that REFUSAL looks at. */
const LOOKED_AT_BYTES = 48

/** Whether the frame at `start` says that the command was not executed because it is not for us. */
export function isRefusal(bytes: Buffer, start: number): boolean {
  if (bytes[start] !== MINUS) return false
  return REFUSAL.test(bytes.toString('latin1', start, start + LOOKED_AT_BYTES))
}
