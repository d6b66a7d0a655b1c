/** The commands of transactions as they come outside of one; two of them begin one. */
import { errorFrame } from '../../errors.ts'
import { OK } from '../../resp/encode.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import { QueueingMode } from './queueing-mode.ts'
import type { TransactionOptions } from './transaction.ts'
import { WatchingMode } from './watching-mode.ts'

const EXEC_WITHOUT_MULTI = errorFrame('ERR EXEC without MULTI')
const DISCARD_WITHOUT_MULTI = errorFrame('ERR DISCARD without MULTI')

export function transactionCommands(options: TransactionOptions): Record<string, SpecialCommand> {
  return {
    multi: (client, request) => {
      const queueing = new QueueingMode(client, options)
      client.mode = queueing
      queueing.begin(request)
    },
    watch: (client, request, row) => {
      client.mode = new WatchingMode(client, options)
      client.mode.handle(request, row)
    },
    unwatch: (client) => client.session.answer(OK),
    exec: (client) => client.session.answer(EXEC_WITHOUT_MULTI),
    discard: (client) => client.session.answer(DISCARD_WITHOUT_MULTI),
  }
}
