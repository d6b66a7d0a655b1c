/** What Redis says when there is nothing to be had. */
import { ASTERISK, CR, DOLLAR, MINUS, ZERO } from '../../resp/bytes.ts'

const UNDERSCORE = 0x5f

/** Whether the reply that begins at `start` says that there was nothing to pop, or to read. */
export function isNothing(bytes: Buffer, start: number): boolean {
  const kind = bytes[start]
  // A RESP3 null, a RESP2 null of either kind, or an empty array.
  if (kind === UNDERSCORE) return true
  if (kind !== DOLLAR && kind !== ASTERISK) return false
  if (bytes[start + 1] === MINUS) return true
  return kind === ASTERISK && bytes[start + 1] === ZERO && bytes[start + 2] === CR
}
