/** A worker's process: does what the supervisor says. Signals are the supervisor's, who gets them as well. */
import { packageVersion } from '../../config/package-directory.ts'
import { EXIT } from '../../errors.ts'
import { createLogger, type ProcessLogger } from '../../log.ts'
import { LimitedLogger } from '../../log-limit.ts'
import type { Assignment, FromWorker, ToWorker } from '../../workers/messages.ts'
import { type RunningWorker, startWorker } from '../../workers/worker.ts'
import type { Signals } from '../signals.ts'
import { Rest } from './rest.ts'
import { logRuntimeEvents } from './runtime-events.ts'
import { letYoungGenerationGrow } from './young-generation.ts'

/**
 * Ends with the supervisor: node:cluster ends a worker whose channel is closed. `served` is called when it ends by
 * itself.
 */
export function runWorker(signals: Signals, served: () => void): void {
  signals.give(() => {})
  signals.closeDebugger()
  /** Messages that have come while the worker starts. */
  const early: ToWorker[] = []
  let worker: RunningWorker | undefined
  process.on('message', (message: ToWorker) => {
    if (message.type === 'start') {
      void start(message.assignment, served).then((started) => {
        worker = started
        for (const waiting of early.splice(0)) worker.heard(waiting)
      })
    } else if (worker === undefined) early.push(message)
    else worker.heard(message)
  })
  tell({ type: 'here' })
}

function tell(message: FromWorker): void {
  // The supervisor may have died, which ends this process in a moment.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

async function start(assignment: Assignment, served: () => void): Promise<RunningWorker> {
  process.umask(assignment.umask)
  const { config, index, logLevel } = assignment
  const logger = await createLogger({
    level: logLevel,
    format: config.process.logFormat,
    environment: config.process.environment.name,
    version: packageVersion(),
    worker: index,
  })
  logRuntimeEvents(logger, new LimitedLogger(logger))
  const useLogLevel = (level: string) => {
    logger.level = level
  }
  const end = () => {
    served()
    void endWith(EXIT.ok, logger)
  }
  const worker = await startWorker(assignment, logger, { tell, useLogLevel, end })
  // The supervisor has heard why, and tells it.
  if (worker === undefined) return await endWith(EXIT.runtime, logger)
  // Clients may keep it busy from the first moment on, and it rests only after that.
  letYoungGenerationGrow()
  new Rest()
  return worker
}

async function endWith(code: number, logger: ProcessLogger): Promise<never> {
  await logger.drained()
  process.exit(code)
}
