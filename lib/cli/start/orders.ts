/**
 * What operators tell the serving process to do, by a signal (the table is in lib/cli/signals.ts)
 * or over HTTP.
 */
import { LOG_LEVELS, type LogLevel } from '../../config/values/types.ts'
import { EXIT } from '../../errors.ts'
import type { ProcessLogger } from '../../log.ts'
import type { Logger } from '../../logger.ts'
import type { SignalEffect } from '../signals.ts'

export class Orders {
  /** Resolves to what asked first for the end. */
  readonly stopAsked: Promise<string>
  stop: (cause: string) => void = () => {}
  /** Called with a level that a signal has set. */
  onLevel: (level: string) => void = () => {}
  readonly #logger: ProcessLogger
  readonly #limited: Logger
  #stopSignalled = false
  #reload: ((cause: string) => void) | undefined
  /** The cause of a reload that came before there was anything to reload. */
  #reloadDue: string | undefined

  /** `limited` logs orders that somebody may repeat without end. */
  constructor(logger: ProcessLogger, limited: Logger) {
    this.#logger = logger
    this.#limited = limited
    this.stopAsked = new Promise((resolve) => {
      this.stop = resolve
    })
  }

  /** From now on the configuration can be read again. */
  reloadBy(reload: (cause: string) => void): void {
    this.#reload = reload
    if (this.#reloadDue !== undefined) reload(this.#reloadDue)
  }

  signal(signal: NodeJS.Signals, effect: SignalEffect): void {
    switch (effect) {
      case 'stop':
        this.#stopBy(signal)
        break
      case 'reload':
        if (this.#reload === undefined) this.#reloadDue = signal
        else this.#reload(signal)
        break
      case 'louder':
        this.#stepLevel(signal, -1)
        break
      case 'quieter':
        this.#stepLevel(signal, 1)
        break
      case 'ignore':
        this.#limited.info({ signal }, 'signal ignored')
    }
  }

  #stopBy(signal: string): void {
    if (this.#stopSignalled) {
      this.#logger.warn({ signal }, 'stopped at once')
      process.exit(EXIT.runtime)
    }
    // A preStop hook sends POST /drain; the SIGTERM after it does not mean impatience.
    this.#stopSignalled = true
    this.stop(signal)
  }

  /** `step` leads along LOG_LEVELS, which begin with the loudest. */
  #stepLevel(signal: string, step: -1 | 1): void {
    const logger = this.#logger
    const before = logger.level as LogLevel
    const after = LOG_LEVELS[LOG_LEVELS.indexOf(before) + step]
    if (after === undefined) return
    const loudest = step === -1 ? after : before
    // The line is logged at the louder of both levels, so that it is always seen.
    logger.level = loudest
    logger[audible(loudest)]({ signal, level: after }, 'log level changed')
    logger.level = after
    this.onLevel(after)
  }
}

/** The least important lines that `level` lets through, but none below info. */
function audible(level: LogLevel): 'info' | 'warn' | 'error' | 'fatal' {
  return level === 'warn' || level === 'error' || level === 'fatal' ? level : 'info'
}
