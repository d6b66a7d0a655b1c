/**
 * The log of the process. Only this file imports `pino`, and `pino-pretty` where it is installed.
 *
 * Lines go to process.stdout rather than to `pino.destination`, whose traps were tried with pino
 * 10.4.0, sonic-boom 4:
 * - synchronous, it stops the whole process when nobody reads the pipe;
 * - asynchronous, it writes from a thread, and a thread that hangs in a full pipe keeps even
 *   process.exit() from returning;
 * - its flushSync() tries for ever when the write fails (EPIPE, /dev/full), and so does its exit
 *   hook; its flush(callback) calls back at once with the default minLength.
 * process.stdout does none of that for pipes and sockets on Linux: it queues what the pipe does not
 * take. The queue is bounded here, and errors are swallowed: the log never ends the process.
 *
 * `redact` is a second safeguard: no code hands a secret to a logger.
 */
import type { Writable } from 'node:stream'
import { pino } from 'pino'
import type { LogFormat } from './config/config.ts'
import { LOG_BYTES_WAITING_MAX, LOG_FLUSH_MS_MAX } from './limits.ts'
import type { Logger } from './logger.ts'

export interface LogOptions {
  readonly level: string
  readonly format: LogFormat
  /** In every line. */
  readonly environment: string
  readonly version: string
  /** Its number, in every line of a worker. */
  readonly worker?: number
  /** Where lines go; the process's standard output by default. */
  readonly output?: Writable
}

export interface ProcessLogger extends Logger {
  /** May be changed at any time. */
  level: string
  readonly fatal: Logger['error']
  /** Resolves when all lines have been taken, or after LOG_FLUSH_MS_MAX. */
  drained(): Promise<void>
}

type Formatter = (line: string) => string

export async function createLogger(options: LogOptions): Promise<ProcessLogger> {
  const formatter = options.format === 'pretty' ? await prettyFormatter() : undefined
  const output = new LogOutput(options.output ?? process.stdout, formatter)
  const logger = pino(
    {
      level: options.level,
      base: {
        service: 'redis-ambassador',
        version: options.version,
        environment: options.environment,
        ...(options.worker !== undefined && { worker: options.worker }),
      },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['password', '*.password', 'shardPassword', 'url', '*.url'],
    },
    output,
  )
  if (options.format === 'pretty' && formatter === undefined) {
    logger.warn({ wanted: 'pino-pretty' }, 'pretty logs need an optional package; logging JSON')
  }
  return Object.assign(logger, { drained: () => output.drained() })
}

/** undefined: the optional dependency is not installed. */
async function prettyFormatter(): Promise<Formatter | undefined> {
  try {
    const { prettyFactory } = await import('pino-pretty')
    const options = {
      colorize: process.stdout.isTTY === true,
      ignore: 'service,version,environment',
      translateTime: 'SYS:HH:MM:ss.l',
      singleLine: true,
      // The first lines name the process; the text form does not repeat that in each line.
      messageFormat: (line: Record<string, unknown>, messageKey: string) => {
        const { version, environment, environmentSource, [messageKey]: message } = line
        if (environmentSource === undefined) return `${message}`
        return `redis-ambassador ${version} in ${environment}: ${message}`
      },
    }
    return prettyFactory(options)
  } catch {
    return undefined
  }
}

/** A destination for pino: bounded, and deaf to errors. */
class LogOutput {
  readonly #output: Writable
  readonly #formatter: Formatter | undefined
  #dropped = 0

  constructor(output: Writable, formatter: Formatter | undefined) {
    this.#output = output
    this.#formatter = formatter
    output.on('error', () => {})
  }

  write(line: string): void {
    if (this.#output.writableLength > LOG_BYTES_WAITING_MAX) {
      this.#dropped++
      return
    }
    if (this.#dropped > 0) {
      const lost = { level: 'warn', time: new Date().toISOString(), dropped: this.#dropped }
      this.#dropped = 0
      this.#put(`${JSON.stringify({ ...lost, msg: 'log lines were dropped, nobody read them' })}\n`)
    }
    this.#put(line)
  }

  #put(line: string): void {
    this.#output.write(this.#formatter === undefined ? line : this.#formatter(line))
  }

  async drained(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LOG_FLUSH_MS_MAX)
      this.#output.write('', () => resolve())
    })
    clearTimeout(timer)
  }
}
