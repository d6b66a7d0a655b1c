/** What Node itself would write to stderr as text: its warnings, and the exception that ends the process. */
import { EXIT } from '../../errors.ts'
import type { ProcessLogger } from '../../log.ts'
import type { Logger } from '../../logger.ts'

/** `limited` takes the warnings, of which there may be any number. */
export function logRuntimeEvents(logger: ProcessLogger, limited: Logger): void {
  // Node's own listener, which prints.
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    limited.warn({ warning: name, reason: message }, 'the runtime warns')
  })
  // Unhandled rejections come here as well. The process ends without waiting: its state is unknown
  // after a mistake of ours.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'failed')
    process.exit(EXIT.runtime)
  })
}
