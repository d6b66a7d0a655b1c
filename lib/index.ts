/**
 * The public API: an ambassador inside another Node.js program, for example in its tests or in a
 * development server.
 *
 *   import { createAmbassador } from 'redis-ambassador'
 *
 *   const ambassador = await createAmbassador({
 *     listen: '127.0.0.1:0',
 *     shards: ['a=10.0.0.1:6379', { name: 'b', url: 'redis://10.0.0.2:6379', weight: 2 }],
 *   })
 *   const [address] = ambassador.addresses   // where it listens, with the port that was taken
 *   ambassador.reload({ listen: '127.0.0.1:0', shards: ['a=10.0.0.1:6379'] })
 *   await ambassador.stop()
 */
import { type Ambassador as Core, type Running, startAmbassador } from './ambassador.ts'
import { type Changes, changesOf } from './config/changes.ts'
import type { Config } from './config/config.ts'
import { type AmbassadorOptions, configOfObject } from './config/sources/options-object.ts'
import type { Logger } from './logger.ts'

export type { ReloadOutcome, Running, Steering } from './ambassador.ts'
export type { Changes } from './config/changes.ts'
export type { AmbassadorOptions } from './config/sources/options-object.ts'
export { ConfigError } from './errors.ts'
export type { Logger, LogMethod } from './logger.ts'

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** An ambassador in this process. */
export interface Ambassador extends Running {
  /**
   * Goes on with these options, at once for new requests; requests in flight finish where they were sent. An
   * option that is left out has its default again. Connections to shards whose configuration has not changed
   * stay open, and so do clients, except subscribers of channels that may have moved: they are closed, so that
   * they subscribe again. No address changes: where `listen` and `adminListen` are others, the result says that
   * another start is needed.
   *
   * Throws ConfigError, and changes nothing, when the options cannot be used, or lack a pool to which an
   * address leads; throws Error once it is stopped.
   */
  reload(options: AmbassadorOptions): Changes
}

/**
 * Starts an ambassador in this process and resolves once it accepts clients; shards that are down do
 * not delay it. Reads no variable, no flag, and of files only those that an option names. `logger` gets
 * the lines that the program would log (a pino logger fits); without it nothing is logged.
 *
 * Rejects with ConfigError, which has a line for each mistake in `problems`, or with the system's
 * error (EADDRINUSE) when an address cannot be listened on.
 */
export async function createAmbassador(
  options: AmbassadorOptions,
  logger: Logger = SILENT,
): Promise<Ambassador> {
  const config = configOfObject(options)
  tell(config.process.notes, logger)
  return new EmbeddedAmbassador(await startAmbassador(config, logger), config, logger)
}

class EmbeddedAmbassador implements Ambassador {
  readonly #core: Core
  readonly #logger: Logger
  /** The one in use. */
  #config: Config
  #isStopped = false

  constructor(core: Core, config: Config, logger: Logger) {
    this.#core = core
    this.#config = config
    this.#logger = logger
  }

  get addresses(): Ambassador['addresses'] {
    return this.#core.addresses
  }

  get adminAddress(): Ambassador['adminAddress'] {
    return this.#core.adminAddress
  }

  get listening(): Ambassador['listening'] {
    return this.#core.listening
  }

  get gauges(): Ambassador['gauges'] {
    return this.#core.gauges
  }

  get preflight(): Ambassador['preflight'] {
    return this.#core.preflight
  }

  reload(options: AmbassadorOptions): Changes {
    if (this.#isStopped) throw new Error('the ambassador is stopped')
    try {
      return this.#use(configOfObject(options))
    } catch (error) {
      this.#core.reloadFailed()
      throw error
    }
  }

  #use(next: Config): Changes {
    const earlier = this.#config
    const changes = changesOf(next, earlier)
    this.#core.reload(next)
    this.#config = next
    const known = new Set(earlier.process.notes)
    tell(
      next.process.notes.filter((note) => !known.has(note)),
      this.#logger,
    )
    return changes
  }

  steerBy(steering: Parameters<Ambassador['steerBy']>[0]): void {
    this.#core.steerBy(steering)
  }

  stop(): Promise<void> {
    this.#isStopped = true
    return this.#core.stop()
  }
}

function tell(notes: readonly string[], logger: Logger): void {
  for (const note of notes) logger.warn({ note }, 'worth a look')
}
