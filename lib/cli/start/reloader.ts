/**
 * Reads the configuration again on SIGHUP, when a file of it changes, and when told to over HTTP.
 * One that cannot be used is refused as a whole, and the one in use stays.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ReloadOutcome } from '../../ambassador.ts'
import { changesOf } from '../../config/changes.ts'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../errors.ts'
import type { ProcessLogger } from '../../log.ts'
import { notesOf, shardShares } from '../ring.ts'
import { ConfigWatch } from './config-watch.ts'

/** One ambassador, or several workers. */
export interface Reloadable {
  /** Throws ConfigError, and changes nothing, when it cannot go on with this. */
  reload(config: Config): void
  reloadFailed(): void
  useLogLevel?(level: string): void
}

export interface ReloaderOptions {
  /** The one in use. */
  readonly config: Config
  /** Throws ConfigError. */
  readonly load: () => Config
  readonly ambassador: Reloadable
  readonly logger: ProcessLogger
}

/** The cause of a reload that nobody asked for: a file changed. */
const FILE = 'file'

export class Reloader {
  readonly #options: ReloaderOptions
  readonly #watch = new ConfigWatch(() => this.reload(FILE))
  #config: Config
  /** The mistakes of the configuration that was read last; empty when it had none. */
  #problems: readonly string[] = []
  #stopped = false

  constructor(options: ReloaderOptions) {
    this.#options = options
    this.#config = options.config
    this.#watch.follow(options.config.process.files)
  }

  /** The one in use. */
  get config(): Config {
    return this.#config
  }

  reload(cause: string): ReloadOutcome {
    if (this.#stopped) return 'draining'
    try {
      const outcome = this.#use(this.#options.load(), cause)
      this.#problems = []
      return outcome
    } catch (error) {
      const { problems, files } =
        error instanceof ConfigError ? error : new ConfigError([String(error)])
      // A file that the configuration names may be missing now and come later.
      if (files.length > 0) this.#watch.follow(files)
      return this.#refuse(problems, cause)
    }
  }

  /** Stops to follow files and to read them. */
  stop(): void {
    this.#stopped = true
    this.#watch.close()
  }

  #refuse(problems: readonly string[], cause: string): ReloadOutcome {
    const { ambassador, logger } = this.#options
    // A signal or a request is answered each time. A file that is written again with the same mistakes is
    // not.
    const isKnown = cause === FILE && isDeepStrictEqual(problems, this.#problems)
    this.#problems = problems
    if (isKnown) return { problems }
    ambassador.reloadFailed()
    for (const problem of problems) {
      logger.error({ cause, problem }, 'configuration refused, the one in use stays')
    }
    return { problems }
  }

  #use(next: Config, cause: string): ReloadOutcome {
    const { ambassador, logger } = this.#options
    const changes = changesOf(next, this.#config)
    const { changed, afterRestart } = changes
    this.#watch.follow(next.process.files)
    if (isDeepStrictEqual(next, this.#config)) return changes
    if (afterRestart.length > 0) {
      logger.warn({ options: afterRestart }, 'changes only with a restart')
    }
    ambassador.reload(next)
    // A level that was set by a signal stays until the configuration says another.
    if (changed.includes('logLevel')) {
      logger.level = next.process.logLevel
      ambassador.useLogLevel?.(next.process.logLevel)
    }
    const known = new Set(notesOf(this.#config))
    this.#config = next
    for (const note of notesOf(next)) if (!known.has(note)) logger.warn({ note }, 'worth a look')
    const shares = Object.fromEntries(shardShares(next.pools[0]))
    logger.info({ cause, changed, shares }, 'configuration reloaded')
    return changes
  }
}
