/** How a client is answered once all parts of its command are collected. */
import { errorFrame } from '../../errors.ts'
import { interleave } from '../../routing/merge/interleave.ts'
import type { ShardError } from '../../upstream/reply-sink.ts'
import type { Collected, Finish } from './collector.ts'

/** Who asked: a session, or anything else that takes one reply per ticket. It copies what it keeps. */
export interface ReplyTarget {
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void
}

/**
 * The merged reply, or undefined when the shards' replies do not fit together. It may lie in a
 * buffer that is used again: it is valid until the next merge.
 */
export type Merge = (replies: readonly Buffer[]) => Buffer | undefined

const UNEXPECTED = errorFrame('ERR ambassador: shards gave unexpected replies (may have executed)')

/** Answers with the merged reply, or with one error when any part failed. */
export function merged(
  target: ReplyTarget,
  ticket: number,
  isReadonly: boolean,
  merge: Merge,
): Finish {
  return (collected) => {
    const frame =
      collected.error === undefined
        ? (merge(framesOf(collected)) ?? UNEXPECTED)
        : failureFrame(collected.error, collected, isReadonly)
    target.reply(ticket, frame, 0, frame.length, true)
  }
}

/**
 * Answers with one element for each key, in the order of the keys (MGET), or with one error when any
 * part failed. The merged reply is never whole anywhere but on its way out. `groupOf`: by key, which
 * part has it.
 */
export function interleaved(
  target: ReplyTarget,
  ticket: number,
  isReadonly: boolean,
  groupOf: Int32Array,
): Finish {
  return (collected) => {
    if (collected.error !== undefined) {
      const frame = failureFrame(collected.error, collected, isReadonly)
      target.reply(ticket, frame, 0, frame.length, true)
      return
    }
    const pieces = Array.from({ length: collected.count }, (_, part) => collected.pieces(part))
    if (!interleave(pieces, groupOf, target, ticket)) {
      target.reply(ticket, UNEXPECTED, 0, UNEXPECTED.length, true)
    }
  }
}

function framesOf(collected: Collected): Buffer[] {
  return Array.from({ length: collected.count }, (_, part) => collected.frame(part) as Buffer)
}

/** What the client hears of a command of which some parts got no reply. */
function failureFrame(
  error: ShardError,
  { failures, count }: Collected,
  isReadonly: boolean,
): Buffer {
  if (isReadonly || error.maybeExecuted || failures === count) return error.frame
  // This shard was not reached, but the others have done their part of a write.
  return Buffer.from(
    error.frame.toString('latin1').replace('(not sent)', '(may have executed)'),
    'latin1',
  )
}
