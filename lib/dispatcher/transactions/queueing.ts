/** Whether the shard or the ambassador queues a command of a transaction; from its row alone. */
import { rejected } from '../../commands/errors.ts'
import type { CommandRow } from '../../commands/row.ts'
import { adminRefused, type Failure, notSupported, refusedInTransaction } from '../../failures.ts'

/** A Buffer is the error that says why neither does. */
export type Queueing = 'shard' | 'here' | Buffer | Failure

/**
 * Subscribers hear them wherever they are executed, so that they go along with a transaction's keys.
 * Outside of one their answers are made of the shard's and of what is known here.
 */
export const PUBLISHES = new Set(['publish', 'spublish'])

/** `shards`: how many there are. */
export function queueingOf(row: CommandRow, shards: number, allowAdmin: boolean): Queueing {
  const { name, handling, flags } = row
  if (flags.has('no_multi')) return rejected(row, 'Command not allowed inside a transaction')
  if (name === 'unwatch') return 'shard'
  // To a shard all our subscribers are one.
  if (handling === 'local' || handling === 'subscription' || name.startsWith('pubsub|'))
    return 'here'
  if (handling === 'single' || handling === 'split' || flags.has('blocking')) return 'shard'
  const isForAll = handling === 'broadcast' || (handling === 'admin' && allowAdmin)
  return isForAll && shards === 1 ? 'shard' : whyNot(row, allowAdmin)
}

function whyNot({ handling, name, because }: CommandRow, allowAdmin: boolean): Failure {
  if (handling === 'admin' && !allowAdmin) return adminRefused(name, because)
  return handling === 'admin' || because === undefined
    ? refusedInTransaction(name)
    : notSupported(name, because)
}
