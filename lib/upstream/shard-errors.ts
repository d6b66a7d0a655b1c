/** What clients are told when a shard does not answer: one line per cause, made once per shard. */
import { errorFrame, errorText } from '../errors.ts'
import type { ShardError } from './reply-sink.ts'

export interface ShardErrors {
  readonly unavailable: ShardError
  readonly lost: ShardError
  readonly timedOut: ShardError
  readonly overloaded: ShardError
}

export function shardErrors(name: string): ShardErrors {
  const shard = `ERR ambassador: shard ${errorText(name)}`
  return {
    unavailable: { frame: errorFrame(`${shard} unavailable (not sent)`), maybeExecuted: false },
    lost: {
      frame: errorFrame(`${shard} connection lost (may have executed)`),
      maybeExecuted: true,
    },
    timedOut: { frame: errorFrame(`${shard} timed out (may have executed)`), maybeExecuted: true },
    overloaded: {
      frame: errorFrame('ERR ambassador: overloaded (not sent)'),
      maybeExecuted: false,
    },
  }
}
