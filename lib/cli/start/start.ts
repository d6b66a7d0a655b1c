/** `start`: serves clients until a signal says stop. */
import type { Writable } from 'node:stream'
import type { Ambassador } from '../../ambassador.ts'
import type { Config, PoolConfig } from '../../config/config.ts'
import { packageVersion } from '../../config/package-directory.ts'
import { clusterText, shardAddressText } from '../../config/values/address.ts'
import { EXIT } from '../../errors.ts'
import { createLogger, type ProcessLogger } from '../../log.ts'
import { LimitedLogger } from '../../log-limit.ts'
import { notesOf, shardShares } from '../ring.ts'
import type { Signals } from '../signals.ts'
import { openFilesMax, withinDescriptors } from './descriptors.ts'
import { Orders } from './orders.ts'
import { type Reloadable, Reloader } from './reloader.ts'
import { Rest } from './rest.ts'
import { logRuntimeEvents } from './runtime-events.ts'
import { WORKER_WORD } from './worker-word.ts'
import { letYoungGenerationGrow } from './young-generation.ts'

/** For a command that prints a report after serving. */
export interface Ending {
  /** Where the log goes. */
  readonly logTo: Writable
  /** Called with the ambassador once it has stopped. Resolves to the exit code. */
  readonly report: (ambassador: Pick<Ambassador, 'preflight'>) => Promise<number>
}

/**
 * Resolves to the exit code once stopped. Throws ConfigError when loading does at first; later
 * mistakes in the configuration are logged, and the one in use stays.
 */
export async function runStart(
  loadAsWritten: () => Config,
  signals: Signals,
  ending?: Ending,
): Promise<number> {
  const filesMax = openFilesMax()
  const load = () => withinDescriptors(loadAsWritten(), filesMax)
  const config = load()
  const logger = await createLogger({
    level: config.process.logLevel,
    format: config.process.logFormat,
    environment: config.process.environment.name,
    version: packageVersion(),
    ...(ending !== undefined && { output: ending.logTo }),
  })
  const limited = new LimitedLogger(logger)
  logRuntimeEvents(logger, limited)
  const orders = new Orders(logger, limited)
  signals.give((signal, effect) => orders.signal(signal, effect))
  // A signal may have opened it during the start.
  signals.closeDebugger()
  const code = await serve(config, load, logger, orders, ending)
  await logger.drained()
  return code
}

async function serve(
  config: Config,
  load: () => Config,
  logger: ProcessLogger,
  orders: Orders,
  ending: Ending | undefined,
): Promise<number> {
  for (const note of notesOf(config)) logger.warn({ note }, 'worth a look')
  try {
    const ambassador = await startServing(config, logger)
    const reloader = new Reloader({ config, load, ambassador, logger })
    ambassador.steerBy({
      reload: () => reloader.reload('POST /reload'),
      drain: () => orders.stop('POST /drain'),
    })
    logger.info(bannerFacts(config, ambassador), 'accepting clients')
    orders.reloadBy((cause) => reloader.reload(cause))
    orders.onLevel = (level) => ambassador.useLogLevel?.(level)
    // All is loaded. Clients may keep it busy from the first moment on, and it rests only after that.
    letYoungGenerationGrow()
    const rest = new Rest()
    const cause = await orders.stopAsked
    logger.info({ cause, drainTimeoutMs: reloader.config.process.drainTimeoutMs }, 'stopping')
    reloader.stop()
    rest.stop()
    await ambassador.stop()
    logger.info({}, 'stopped')
    return (await ending?.report(ambassador)) ?? EXIT.ok
  } catch (error) {
    return reportFailure(error, logger)
  }
}

/** An ambassador in this process, or several workers. */
type Serving = Pick<Ambassador, 'listening' | 'preflight' | 'steerBy' | 'stop'> & Reloadable

/** Neither way loads what only the other needs. */
async function startServing(config: Config, logger: ProcessLogger): Promise<Serving> {
  if (config.process.workers === 1) {
    const { startAmbassador } = await import('../../ambassador.ts')
    return await startAmbassador(config, logger)
  }
  const { startWorkers } = await import('../../workers/supervisor.ts')
  const [, exec = ''] = process.argv
  return await startWorkers(config, logger, { exec, args: [WORKER_WORD] })
}

const IN_USE =
  'another program listens there, perhaps another ambassador: end it, or choose another address ' +
  'with --listen, or with --admin-listen for the admin endpoint'

/**
 * A refusal by the system is logged in its words; anything else is a mistake of ours and is logged with
 * its stack.
 */
function reportFailure(error: unknown, logger: ProcessLogger): number {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    logger.fatal({ err: error }, 'failed')
    return EXIT.runtime
  }
  const isInUse = error.code === 'EADDRINUSE'
  const hint = isInUse ? { hint: IN_USE } : {}
  logger.fatal({ reason: error.message, ...hint }, 'cannot serve')
  return isInUse ? EXIT.addressInUse : EXIT.runtime
}

function bannerFacts(
  { pools: [first, ...others], process }: Config,
  { listening: { clients, admin } }: Serving,
): object {
  const further = others.map((pool) => [pool.name, poolFacts(pool)])
  return {
    listen: clients,
    adminListen: admin.length === 0 ? 'off' : admin.join(','),
    environmentSource: process.environment.source,
    ...(process.workers > 1 && { workers: process.workers }),
    ...poolFacts(first),
    ...(others.length === 0 ? {} : { pools: Object.fromEntries(further) }),
  }
}

function poolFacts(pool: PoolConfig): object {
  return pool.cluster === undefined ? ringFacts(pool) : { cluster: clusterText(pool.cluster) }
}

function ringFacts(pool: PoolConfig): object {
  return {
    hash: pool.hash,
    distribution: pool.distribution,
    shards: Object.fromEntries(pool.shards.map((shard) => [shard.name, shardAddressText(shard)])),
    shares: Object.fromEntries(shardShares(pool)),
  }
}
