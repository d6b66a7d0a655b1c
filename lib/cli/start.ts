/** `start`: serves clients until a signal says stop. */
import { startAmbassador } from '../ambassador.ts'
import { addressText } from '../config/address.ts'
import type { Config } from '../config/config.ts'
import { packageVersion } from '../config/package-directory.ts'
import { EXIT } from '../errors.ts'
import { createLogger, type ProcessLogger } from '../log.ts'
import { notesOf, shardShares } from './ring.ts'

/** Resolves to the exit code once stopped. Never rejects: what fails is logged. */
export async function runStart(config: Config): Promise<number> {
  const logger = await createLogger({
    level: config.logLevel,
    format: config.logFormat,
    environment: config.environment.name,
    version: packageVersion(),
  })
  const code = await serve(config, logger)
  await logger.drained()
  return code
}

async function serve(config: Config, logger: ProcessLogger): Promise<number> {
  const stopped = stopSignal(logger)
  for (const note of notesOf(config)) logger.warn({ note }, 'worth a look')
  try {
    const ambassador = await startAmbassador(config, logger)
    logger.info(bannerFacts(config, ambassador.addresses), 'accepting clients')
    logger.info({ signal: await stopped, drainTimeoutMs: config.drainTimeoutMs }, 'stopping')
    await ambassador.stop()
    logger.info({}, 'stopped')
    return EXIT.ok
  } catch (error) {
    return reportFailure(error, logger)
  }
}

/** What the system refuses is told in its words; anything else is a mistake of ours, with its stack. */
function reportFailure(error: unknown, logger: ProcessLogger): number {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    logger.fatal({ err: error }, 'failed')
    return EXIT.runtime
  }
  logger.fatal({ reason: error.message }, 'cannot serve')
  return error.code === 'EADDRINUSE' ? EXIT.addressInUse : EXIT.runtime
}

function bannerFacts(config: Config, addresses: readonly (string | { port: number })[]): object {
  const listen = config.listen.map((address, index) => {
    const actual = addresses[index]
    // Port 0 became a real one.
    if ('path' in address || typeof actual !== 'object') return addressText(address)
    return addressText({ host: address.host, port: actual.port })
  })
  return {
    listen,
    environmentSource: config.environment.source,
    hash: config.hash,
    distribution: config.distribution,
    shares: Object.fromEntries(shardShares(config)),
  }
}

/** Resolves to the first stop signal's name. The second one ends the process at once. */
function stopSignal(logger: ProcessLogger): Promise<string> {
  return new Promise((resolve) => {
    let stopping = false
    const onSignal = (signal: string) => {
      if (stopping) {
        logger.warn({ signal }, 'stopped at once')
        process.exit(EXIT.runtime)
      }
      stopping = true
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
