/** What rooms log through, so that none of them knows the library behind it. */

/** One level's method: facts first, then a constant sentence. Never a key, a value or a secret. */
export type LogMethod = (facts: object, message: string) => void

export interface Logger {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
}
