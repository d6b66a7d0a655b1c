/**
 * Floating-point numbers as Redis writes and reads them: up to 7.0 by C's `%.17g`, from 7.2 on with
 * the fewest digits that give the number back; `inf` for infinity.
 */

/** Makes the text of a number. Precondition: not NaN, which Redis never accepts as a score. */
export type DoubleFormat = (value: number) => string

const DIGITS = 17
/** From here on `%.17g` writes plain numbers, below with an exponent. */
const PLAIN_MIN = 1e-4
const PLAIN_END = 1e17

/** Whole numbers up to here are written in full by Redis 7.2. */
const WHOLE_MAX = 2 ** 62

/** As Redis up to 7.0. */
export function formatDouble(value: number): string {
  // Safe integers have at most 16 digits. -0 counts as safe, and String() drops its sign.
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

/**
 * As Redis from 7.2 on, and Valkey. For one number in a thousand their algorithm (Grisu2) does not
 * find the fewest digits, and of two shortest texts it may choose the other; the number is the same.
 */
export function formatShortest(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  const magnitude = Math.abs(value)
  if (Number.isInteger(value) && magnitude <= WHOLE_MAX) return BigInt(value).toString()
  const [mantissa, exponent] = magnitude.toExponential().split('e') as [string, string]
  const digits = mantissa.replace('.', '')
  return (value < 0 ? '-' : '') + placePoint(digits, Number(exponent), mantissa)
}

/** `exponent`: of the first digit. The bounds are Redis's. */
function placePoint(digits: string, exponent: number, mantissa: string): string {
  const ofLastDigit = exponent - digits.length + 1
  if (ofLastDigit >= 0 && exponent < digits.length + 7) return digits + '0'.repeat(ofLastDigit)
  if (ofLastDigit < 0 && (ofLastDigit > -7 || Math.abs(exponent) < 4)) {
    const before = exponent + 1
    if (before <= 0) return `0.${'0'.repeat(-before)}${digits}`
    return `${digits.slice(0, before)}.${digits.slice(before)}`
  }
  return `${mantissa}e${exponent < 0 ? '' : '+'}${exponent}`
}

/** The value of a score as a shard writes it; NaN for other text. */
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

/** Removes zeros at the end of the fraction, and the point if no digit is left behind it. */
function withoutZeros(digits: string): string {
  if (!digits.endsWith('0') || !digits.includes('.')) return digits
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, digits[end - 1] === '.' ? end - 1 : end)
}
