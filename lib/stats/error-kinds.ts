/** What kinds of errors clients get. `shard`: in a shard's own words; the others are failures of ours. */

/** The kinds that a shard can cause, as in /stats; the metrics' labels have them in snake case. */
export const SHARD_ERROR_KINDS = ['unavailable', 'lost', 'timedOut', 'overloaded', 'shard'] as const
export type ShardErrorKind = (typeof SHARD_ERROR_KINDS)[number]

export type ErrorKind = ShardErrorKind | 'refused'

export type ErrorCounts = Record<ErrorKind, number>
export type ShardErrorCounts = Record<ShardErrorKind, number>

const SIMPLE_ERROR = 0x2d
const BULK_ERROR = 0x21

export function isError(firstByte: number | undefined): boolean {
  return firstByte === SIMPLE_ERROR || firstByte === BULK_ERROR
}
