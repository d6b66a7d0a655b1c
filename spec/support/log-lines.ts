/** A logger that keeps what it is told. */
import type { Logger } from '../../lib/logger.ts'

interface LogLine {
  readonly level: keyof Logger
  readonly facts: object
  readonly message: string
}

export class LogLines implements Logger {
  readonly lines: LogLine[] = []
  readonly debug = this.#taker('debug')
  readonly info = this.#taker('info')
  readonly warn = this.#taker('warn')
  readonly error = this.#taker('error')

  /** Of the lines so far, `level message` of those that are about a shard's being well or not. */
  get aboutShards(): string[] {
    const about = this.lines.filter(({ message }) => /^(?:shard|subscriber) /.test(message))
    return about.map(({ level, message }) => `${level} ${message}`)
  }

  clear(): void {
    this.lines.length = 0
  }

  #taker(level: keyof Logger) {
    return (facts: object, message: string): void => {
      this.lines.push({ level, facts, message })
    }
  }
}
