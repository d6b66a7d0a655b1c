/** How a client is answered once all parts of its command are collected. */
import type { CommandRow } from '../../commands/row.ts'
import { type Failure, UNEXPECTED_REPLIES } from '../../failures.ts'
import { interleave } from '../../routing/merge/interleave.ts'
import { mergeReplies } from '../../routing/merge/reassemble.ts'
import type { Collected, Finish } from './collector.ts'

/** A session, or anything else that takes one reply per ticket. It copies what it keeps. */
export interface ReplyTarget {
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void
  failed(ticket: number, failure: Failure): void
}

/**
 * The merged reply, or undefined when the shards' replies do not fit together. It may lie in a
 * buffer that is used again: it is valid until the next merge.
 */
export type Merge = (replies: readonly Buffer[]) => Buffer | undefined

/** Answers with the merged reply, or with one error when any part failed. */
export function merged(
  target: ReplyTarget,
  ticket: number,
  isReadonly: boolean,
  merge: Merge,
): Finish {
  return (collected) => {
    if (failedAny(collected, target, ticket, isReadonly)) return
    const replies = Array.from({ length: collected.count }, (_, part) => collected.frame(part))
    const frame = merge(replies as Buffer[])
    if (frame === undefined) target.failed(ticket, UNEXPECTED_REPLIES)
    else target.reply(ticket, frame, 0, frame.length, true)
  }
}

/**
 * Answers with one element for each key, in the order of the keys (MGET), or with one error when any
 * part failed. The merged reply is written in parts and never held as a whole. `groupOf`: for each
 * key the number of its part.
 */
export function interleaved(
  target: ReplyTarget,
  ticket: number,
  isReadonly: boolean,
  groupOf: Int32Array,
): Finish {
  return (collected) => {
    if (failedAny(collected, target, ticket, isReadonly)) return
    if (!interleave(collected, groupOf, target, ticket)) target.failed(ticket, UNEXPECTED_REPLIES)
  }
}

/** Answers a split command as its row says. `groupOf`: by key, which part has it. */
export function finishOfSplit(
  row: CommandRow,
  target: ReplyTarget,
  ticket: number,
  groupOf: Int32Array,
): Finish {
  return row.responsePolicy === undefined
    ? interleaved(target, ticket, row.readonly, groupOf)
    : merged(target, ticket, row.readonly, mergeOf(row))
}

/** Answers with the failure, if any part has failed. */
function failedAny(
  { error, failures, count }: Collected,
  target: ReplyTarget,
  ticket: number,
  isReadonly: boolean,
): boolean {
  if (error === undefined) return false
  // One shard was not reached, but the others may have done their part of a write.
  const isWhole = isReadonly || failures === count
  target.failed(ticket, isWhole ? error : error.partly)
  return true
}

/** How the shards' replies to the command become one. */
export function mergeOf(row: CommandRow): Merge {
  const policy = row.responsePolicy
  // A command whose replies nobody knows how to merge: with one shard there is nothing to merge.
  if (policy === 'special') return (replies) => (replies.length === 1 ? replies[0] : undefined)
  return (replies) => mergeReplies(policy ?? 'concatenate', replies)
}
