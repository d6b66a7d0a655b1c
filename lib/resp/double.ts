/** Floating-point numbers as Redis 7.0 writes and reads them: C's `%.17g`, and `inf` for infinity. */

const DIGITS = 17
/** From here on `%.17g` writes plain numbers, below with an exponent. */
const PLAIN_MIN = 1e-4
const PLAIN_END = 1e17

/** Precondition: not NaN; Redis never lets one become a score. */
export function formatDouble(value: number): string {
  // Safe integers have at most 16 digits. -0 is one for JavaScript, and loses its sign in String().
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value)
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const magnitude = Math.abs(value)
  if (magnitude >= PLAIN_MIN && magnitude < PLAIN_END) {
    return withoutZeros(tieToEven(value.toPrecision(DIGITS), value))
  }
  const [mantissa, exponent] = value.toExponential(DIGITS - 1).split('e') as [string, string]
  const power = exponent.slice(1).padStart(2, '0')
  return `${withoutZeros(tieToEven(mantissa, value))}e${exponent.slice(0, 1)}${power}`
}

/** The value of a score as a shard writes it; NaN when it is no number. */
export function parseDouble(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  return text === '' ? Number.NaN : Number(text)
}

/**
 * C rounds a tie between two numbers of 17 digits to the even one, JavaScript away from 0: an odd
 * last digit was an even one before.
 *
 * A tie has exactly 18 digits, the last a 5. It is an odd number over 2^j, and since 5^26 has more
 * than 18 digits, j is at most 25: that rules out nearly all numbers at once.
 */
function tieToEven(digits: string, value: number): string {
  if (!Number.isInteger(value * 2 ** 25)) return digits
  if (!/\.\d{16}50+e/.test(value.toExponential(50))) return digits
  const last = Number(digits.at(-1))
  return digits.slice(0, -1) + String(last - (last % 2))
}

/** Without zeros at the end of the fraction, and without the point if nothing is left behind it. */
function withoutZeros(digits: string): string {
  if (!digits.endsWith('0') || !digits.includes('.')) return digits
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, digits[end - 1] === '.' ? end - 1 : end)
}
