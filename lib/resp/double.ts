/** Floating-point numbers as Redis 7.0 writes and reads them: C's `%.17g`, and `inf` for infinity. */

/** `%.17g` writes numbers below 10^-4 and from 10^17 on with an exponent. */
const DIGITS = 17
const PLAIN_EXPONENT_MIN = -4

/** Precondition: not NaN; Redis never lets one become a score. */
export function formatDouble(value: number): string {
  // Safe integers have at most 16 digits. -0 is one for JavaScript, and loses its sign in String().
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value)
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const sign = value < 0 ? '-' : ''
  const [mantissa, exponentText] = significantDigits(Math.abs(value)).split('e') as [string, string]
  const digits = mantissa.replace('.', '').replace(/0+$/, '')
  const exponent = Number(exponentText)
  if (exponent >= PLAIN_EXPONENT_MIN && exponent < DIGITS) return sign + plain(digits, exponent)
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
  const power = String(Math.abs(exponent)).padStart(2, '0')
  return `${sign}${digits.slice(0, 1)}${fraction}e${exponent < 0 ? '-' : '+'}${power}`
}

/** The value of a score as a shard writes it; NaN when it is no number. */
export function parseDouble(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  return text === '' ? Number.NaN : Number(text)
}

/**
 * `d.ddde±x` with 17 digits. C rounds a tie to the even digit and JavaScript upwards. A tie has
 * exactly 18 digits, the last a 5: an odd number over 2^j, and since 5^26 has more than 18 digits
 * and a double less than 17, j is at most 25.
 */
function significantDigits(value: number): string {
  const rounded = value.toExponential(DIGITS - 1)
  if (!Number.isInteger(value * 2 ** 25)) return rounded
  const exact = value.toExponential(50)
  if (!/^.{18}50+e/.test(exact)) return rounded
  const down = exact.slice(0, DIGITS + 1)
  const isEven = Number(down.at(-1)) % 2 === 0
  return isEven ? down + exact.slice(exact.indexOf('e')) : rounded
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return fraction === '' ? whole : `${whole}.${fraction}`
}
