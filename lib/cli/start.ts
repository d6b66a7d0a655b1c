/** `start`: serves clients until a signal says stop. */
import { isDeepStrictEqual } from 'node:util'
import { type Ambassador, startAmbassador } from '../ambassador.ts'
import { addressText } from '../config/address.ts'
import type { Config, ListenAddress } from '../config/config.ts'
import { packageVersion } from '../config/package-directory.ts'
import { ConfigError, EXIT } from '../errors.ts'
import { createLogger, type ProcessLogger } from '../log.ts'
import { ConfigWatch } from './config-watch.ts'
import { openFilesMax, withinDescriptors } from './descriptors.ts'
import { notesOf, shardShares } from './ring.ts'

/**
 * Resolves to the exit code once stopped. Throws ConfigError when loading does at first; later
 * mistakes in the configuration are logged, and the one in use stays.
 */
export async function runStart(loadAsWritten: () => Config): Promise<number> {
  const filesMax = openFilesMax()
  const load = () => withinDescriptors(loadAsWritten(), filesMax)
  const config = load()
  const logger = await createLogger({
    level: config.logLevel,
    format: config.logFormat,
    environment: config.environment.name,
    version: packageVersion(),
  })
  const code = await serve(config, load, logger)
  await logger.drained()
  return code
}

async function serve(config: Config, load: () => Config, logger: ProcessLogger): Promise<number> {
  const stopped = stopSignal(logger)
  for (const note of notesOf(config)) logger.warn({ note }, 'worth a look')
  try {
    const ambassador = await startAmbassador(config, logger)
    // First of all: whoever reads the next line may send SIGHUP, which otherwise ends a process.
    const stopReloading = reloadOnChange(config, load, ambassador, logger)
    logger.info(bannerFacts(config, ambassador), 'accepting clients')
    logger.info({ signal: await stopped, drainTimeoutMs: config.drainTimeoutMs }, 'stopping')
    stopReloading()
    await ambassador.stop()
    logger.info({}, 'stopped')
    return EXIT.ok
  } catch (error) {
    return reportFailure(error, logger)
  }
}

/**
 * Reads the configuration again on SIGHUP and when a file of it changes. One that cannot be used is
 * refused as a whole. Returns what ends this.
 */
function reloadOnChange(
  first: Config,
  load: () => Config,
  ambassador: Ambassador,
  logger: ProcessLogger,
): () => void {
  let current = first
  const reload = (cause: string): void => {
    const next = loadOrComplain(load, cause, logger)
    if (next === undefined || isDeepStrictEqual(next, current)) return
    if (!isDeepStrictEqual(whereOf(next), whereOf(current))) {
      logger.warn({}, 'where we listen changes only with a restart')
    }
    ambassador.reload(next)
    logger.level = next.logLevel
    current = next
    watch.follow(next.files)
    for (const note of notesOf(next)) logger.warn({ note }, 'worth a look')
    logger.info({ cause, shares: Object.fromEntries(shardShares(next)) }, 'configuration reloaded')
  }
  const watch = new ConfigWatch(() => reload('file'))
  watch.follow(first.files)
  const onSignal = () => reload('SIGHUP')
  process.on('SIGHUP', onSignal)
  return () => {
    process.off('SIGHUP', onSignal)
    watch.close()
  }
}

function whereOf({ listen, adminListen }: Config): object {
  return { listen, adminListen }
}

function loadOrComplain(
  load: () => Config,
  cause: string,
  logger: ProcessLogger,
): Config | undefined {
  try {
    return load()
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [String(error)]
    for (const problem of problems) {
      logger.error({ cause, problem }, 'configuration refused, the one in use stays')
    }
    return undefined
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

function bannerFacts(config: Config, { addresses, adminAddress }: Ambassador): object {
  const { listen, adminListen } = config
  return {
    listen: listen.map((address, index) => actualText(address, addresses[index])),
    adminListen: adminListen === undefined ? 'off' : actualText(adminListen, adminAddress),
    environmentSource: config.environment.source,
    hash: config.hash,
    distribution: config.distribution,
    shares: Object.fromEntries(shardShares(config)),
  }
}

/** Port 0 became a real one. */
function actualText(address: ListenAddress, actual: Ambassador['adminAddress']): string {
  if ('path' in address || typeof actual !== 'object') return addressText(address)
  return addressText({ ...address, port: actual.port })
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
