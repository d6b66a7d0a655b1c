/**
 * Credentials that expire, as a program prints them or a file holds them, and when to ask for the
 * next.
 */

/** As it was printed. */
export interface PrintedCredentials {
  /** Undefined: a token alone was printed. */
  readonly username: string | undefined
  readonly password: string
  /** Milliseconds; undefined when it was not said. */
  readonly lifeMs: number | undefined
}

/**
 * The credentials, or what is wrong with the text: a clause that follows "what it prints". Holds no
 * secret.
 */
export type Reading = PrintedCredentials | { readonly problem: string }

/**
 * Reads JSON with `password` and perhaps `username` and `expiresInSeconds`; or two lines, user and
 * token; or one line with the token.
 */
export function readCredentials(text: string): Reading {
  const trimmed = text.replace(/(?:\r?\n)+$/, '')
  if (trimmed.trim() === '') return { problem: 'is empty' }
  return trimmed.startsWith('{') ? readJson(trimmed) : readLines(trimmed.split(/\r?\n/))
}

function readLines(lines: readonly string[]): Reading {
  if (lines.length > 2) {
    return {
      problem: `has ${lines.length} lines: a user and a token are two, a token alone is one`,
    }
  }
  const password = lines.at(-1) ?? ''
  const username = lines.length === 2 ? lines[0] : undefined
  return checked(username, password, undefined)
}

function readJson(text: string): Reading {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message shows a piece of the text.
    return { problem: 'begins like JSON but is not JSON' }
  }
  const { username, password, expiresInSeconds } = value as Record<string, unknown>
  if (typeof password !== 'string') return { problem: 'is JSON without a text "password"' }
  if (username !== undefined && username !== null && typeof username !== 'string') {
    return { problem: 'is JSON whose "username" is not a text' }
  }
  if (expiresInSeconds === undefined || expiresInSeconds === null) {
    return checked(username ?? undefined, password, undefined)
  }
  const seconds = typeof expiresInSeconds === 'number' ? expiresInSeconds : Number.NaN
  if (!(seconds > 0 && Number.isFinite(seconds))) {
    return { problem: 'is JSON whose "expiresInSeconds" is not a number above 0' }
  }
  return checked(username ?? undefined, password, 1000 * seconds)
}

function checked(
  username: string | undefined,
  password: string,
  lifeMs: number | undefined,
): Reading {
  if (username === '') return { problem: 'has an empty user name' }
  if (password === '') return { problem: 'has an empty token' }
  if (/\p{Cc}/u.test(`${username ?? ''}${password}`)) {
    return { problem: 'holds a control character' }
  }
  return { username, password, lifeMs }
}

/**
 * How long before the end of a token connections log in with the next one. Entra ID asks for three
 * minutes.
 */
const BEFORE_END_MS = 180_000

/**
 * How long after credentials came to ask for the next, milliseconds: at 70 % of their life, and at the
 * latest three minutes before its end. In the first half of a life this happens only if the life is
 * shorter than six minutes.
 */
export function renewAfterMs(lifeMs: number): number {
  return Math.min(0.7 * lifeMs, Math.max(lifeMs / 2, lifeMs - BEFORE_END_MS))
}
