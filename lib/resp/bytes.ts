/** Byte values of RESP, by name, and number parsing as strict as Redis's own `string2ll`. */

export const CR = 0x0d
export const LF = 0x0a
export const ASTERISK = 0x2a
export const COLON = 0x3a
export const DOLLAR = 0x24
export const MINUS = 0x2d
export const ZERO = 0x30

/** More digits than this cannot be a length we take, and 15 digits are exact in a double. */
const DIGITS_MAX = 15

/**
 * The decimal integer `bytes[start, end)`, or undefined if it is not exactly that: no sign but `-`,
 * no leading zero, no space, at most 15 digits.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = start
  const negative = at < end && bytes[at] === MINUS
  if (negative) at++
  if (at === end || end - at > DIGITS_MAX) return undefined
  if (bytes[at] === ZERO && (negative || end - at > 1)) return undefined
  let value = 0
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - ZERO
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}
