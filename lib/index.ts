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
 *   await ambassador.stop()
 */
import { type Ambassador, startAmbassador } from './ambassador.ts'
import { type AmbassadorOptions, configOfObject } from './config/sources/options-object.ts'
import type { Logger } from './logger.ts'

export type { Ambassador, ReloadOutcome, Steering } from './ambassador.ts'
export type { AmbassadorOptions } from './config/sources/options-object.ts'
export { ConfigError } from './errors.ts'
export type { Logger, LogMethod } from './logger.ts'

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

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
  for (const note of config.process.notes) logger.warn({ note }, 'worth a look')
  return await startAmbassador(config, logger)
}
