/** The log as the rooms see it, without the library behind it. */

/** Logs one line: the facts, then a constant sentence. Neither holds a key, a value or a secret. */
export type LogMethod = (facts: object, message: string) => void

/** A method for each level. A pino logger fits. */
export interface Logger {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
}
