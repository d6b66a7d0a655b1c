/** Our own errors with their stable codes, exit codes, and error lines in RESP. */
import { ERROR_TEXT_BYTES_MAX } from './limits.ts'

/** A configuration that cannot be used; `problems` holds one line for each mistake. Exit code 78. */
export class ConfigError extends Error {
  readonly code = 'ERR_CONFIG'
  readonly problems: readonly string[]
  /** Paths of the files that the configuration was read from, as far as known: a change of one may mend it. */
  readonly files: readonly string[]

  constructor(problems: readonly string[], files: readonly string[] = []) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
    this.files = files
  }
}

/** A command line that cannot be understood. Exit code 64. */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE'

  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Exit codes, from sysexits.h where it has one. */
export const EXIT = { ok: 0, runtime: 1, usage: 64, addressInUse: 69, config: 78 } as const

/**
 * Makes foreign text safe inside an error line: at most 128 bytes, and CR, LF and other control
 * bytes become spaces, so that a client's bytes can never end the line (reply splitting).
 * Latin-1 in, latin-1 out: one character a byte.
 */
export function errorText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what it removes.
  return text.slice(0, ERROR_TEXT_BYTES_MAX).replace(/[\x00-\x1f\x7f]/g, ' ')
}

/** A RESP error frame, `-<text>\r\n`. The text must be safe already. */
export function errorFrame(text: string): Buffer {
  return Buffer.from(`-${text}\r\n`, 'latin1')
}
