/** What kinds of errors clients get, and which of them a frame is. */

/**
 * Those that a shard can cause, as they stand in /stats; the metrics' labels are the same in snake
 * case.
 */
export const SHARD_ERROR_KINDS = ['unavailable', 'lost', 'timedOut', 'overloaded', 'shard'] as const
export type ShardErrorKind = (typeof SHARD_ERROR_KINDS)[number]

export type ErrorKind = ShardErrorKind | 'refused'

export type ErrorCounts = Record<ErrorKind, number>
export type ShardErrorCounts = Record<ShardErrorKind, number>

const SIMPLE_ERROR = 0x2d
const BULK_ERROR = 0x21

/** How our own lines end. An error on behalf of a shard takes many ways to its client. */
const OURS =
  /^-ERR ambassador: .*\b(?<why>unavailable|lost|timed out|overloaded) \((?:not sent|may have executed)\)\r\n$/
const KINDS: ReadonlyMap<string | undefined, ErrorKind> = new Map([
  ['unavailable', 'unavailable'],
  ['lost', 'lost'],
  ['timed out', 'timedOut'],
  ['overloaded', 'overloaded'],
])
/** Longer than any of our lines: of a shard's name 128 bytes are shown. */
const LINE_BYTES_MAX = 256

export function isError(firstByte: number | undefined): boolean {
  return firstByte === SIMPLE_ERROR || firstByte === BULK_ERROR
}

/** `otherwise`: what it is when its text is none of ours about a shard. */
export function errorKind(
  bytes: Buffer,
  start: number,
  end: number,
  otherwise: 'refused' | 'shard',
): ErrorKind {
  const line = bytes.toString('latin1', start, Math.min(end, start + LINE_BYTES_MAX))
  const why = OURS.exec(line)?.groups?.['why']
  if (why !== undefined) return KINDS.get(why) ?? otherwise
  return line.startsWith('-ERR ambassador: ') ? 'refused' : otherwise
}
