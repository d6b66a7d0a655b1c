/** Who queues a command of a transaction, the shard or we; from its row alone. */
import { rejected } from '../../commands/errors.ts'
import type { CommandRow } from '../../commands/row.ts'
import { adminRefused, type Failure, notSupported, refusedInTransaction } from '../../failures.ts'

/** Or the error that says why nobody does. */
export type Queueing = 'shard' | 'here' | Buffer | Failure

/**
 * Subscribers hear them wherever they are executed, so that they go along with a transaction's keys.
 * Outside of one their answers are made of the shard's and of what is known here.
 */
export const PUBLISHES = new Set(['publish', 'spublish'])

/** `shards`: how many there are. */
export function queueingOf(row: CommandRow, shards: number, allowAdmin: boolean): Queueing {
  const { name, route, flags } = row
  if (flags.has('no_multi')) return rejected(row, 'Command not allowed inside a transaction')
  if (name === 'unwatch') return 'shard'
  // To a shard all our subscribers are one.
  if (route === 'local' || route === 'subscription' || name.startsWith('pubsub|')) return 'here'
  if (route === 'single' || route === 'split' || flags.has('blocking')) return 'shard'
  const isForAll = route === 'broadcast' || (route === 'admin' && allowAdmin)
  return isForAll && shards === 1 ? 'shard' : whyNot(row, allowAdmin)
}

function whyNot({ route, name, because }: CommandRow, allowAdmin: boolean): Failure {
  if (route === 'admin' && !allowAdmin) return adminRefused(name, because)
  return route === 'admin' || because === undefined
    ? refusedInTransaction(name)
    : notSupported(name, because)
}
