/** `start`: serves clients until a signal says stop. */
import { type Ambassador, startAmbassador } from '../../ambassador.ts'
import type { Config, ListenAddress } from '../../config/config.ts'
import { packageVersion } from '../../config/package-directory.ts'
import { addressText, shardAddressText } from '../../config/values/address.ts'
import { EXIT } from '../../errors.ts'
import { createLogger, type ProcessLogger } from '../../log.ts'
import { notesOf, shardShares } from '../ring.ts'
import { openFilesMax, withinDescriptors } from './descriptors.ts'
import { Reloader } from './reloader.ts'

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
  const stop = new Stop(logger)
  for (const note of notesOf(config)) logger.warn({ note }, 'worth a look')
  try {
    const ambassador = await startAmbassador(config, logger)
    // First of all: whoever reads the next line may send SIGHUP, which otherwise ends a process.
    const reloader = new Reloader({ config, load, ambassador, logger })
    ambassador.steerBy({
      reload: () => reloader.reload('POST /reload'),
      drain: () => stop.ask('POST /drain'),
    })
    logger.info(bannerFacts(config, ambassador), 'accepting clients')
    const cause = await stop.asked
    logger.info({ cause, drainTimeoutMs: reloader.config.drainTimeoutMs }, 'stopping')
    reloader.stop()
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

function bannerFacts(config: Config, { addresses, adminAddress }: Ambassador): object {
  const { listen, adminListen } = config
  return {
    listen: listen.map((address, index) => actualText(address, addresses[index])),
    adminListen: adminListen === undefined ? 'off' : actualText(adminListen, adminAddress),
    environmentSource: config.environment.source,
    hash: config.hash,
    distribution: config.distribution,
    shards: Object.fromEntries(config.shards.map((shard) => [shard.name, shardAddressText(shard)])),
    shares: Object.fromEntries(shardShares(config)),
  }
}

/** Port 0 became a real one. */
function actualText(address: ListenAddress, actual: Ambassador['adminAddress']): string {
  if ('path' in address || typeof actual !== 'object') return addressText(address)
  return addressText({ ...address, port: actual.port })
}

/** The end, asked for once, by a signal or over HTTP. The second signal ends the process at once. */
class Stop {
  /** Resolves to what asked first. */
  readonly asked: Promise<string>
  readonly ask: (cause: string) => void

  constructor(logger: ProcessLogger) {
    let resolveAsked: (cause: string) => void = () => {}
    this.asked = new Promise((resolve) => {
      resolveAsked = resolve
    })
    this.ask = resolveAsked
    let signalled = false
    const onSignal = (signal: string) => {
      if (signalled) {
        logger.warn({ signal }, 'stopped at once')
        process.exit(EXIT.runtime)
      }
      // After POST /drain, which a preStop hook sends, SIGTERM is no impatience.
      signalled = true
      this.ask(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  }
}
