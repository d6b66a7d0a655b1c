/**
 * What a shard says of changed keys (https://redis.io/docs/latest/develop/reference/client-side-caching/):
 * `>2 invalidate *n key ...`, or with a null in place of the keys when all are concerned. The null is of
 * the protocol that the connection speaks whose keys these are: `_`, `$-1` or `*-1`.
 */
import { parseInteger } from '../../resp/bytes.ts'

export interface ChangedKeys {
  /** The key `bytes[start, end)` has changed. */
  changed(bytes: Buffer, start: number, end: number): void
}

/**
 * - `keys`: all have been told of. `all`: every key is concerned.
 * - `broken`: it cannot be understood, or says that no more will come.
 * - `other`: it is about something else.
 */
export type Announcement = 'keys' | 'all' | 'broken' | 'other'

const HEADER = Buffer.from('>2\r\n$10\r\ninvalidate\r\n')
const REDIRECTION_BROKEN = Buffer.from('$21\r\ntracking-redir-broken\r\n')
const NULLS = ['_\r\n', '$-1\r\n', '*-1\r\n']
const NULL_BYTES_MAX = 5

const DOLLAR = 0x24
const ASTERISK = 0x2a
const CR = 0x0d

/** Reads the whole push `bytes[start, end)`. */
export function readAnnouncement(
  bytes: Buffer,
  start: number,
  end: number,
  out: ChangedKeys,
): Announcement {
  const at = start + HEADER.length
  if (!isAt(HEADER, bytes, start, end)) {
    // Of a broken redirection the push has two elements in some versions and one in others.
    return isAt(REDIRECTION_BROKEN, bytes, start + 4, end) ? 'broken' : 'other'
  }
  if (end - at <= NULL_BYTES_MAX && NULLS.includes(bytes.toString('latin1', at, end))) return 'all'
  return readKeys(bytes, at, end, out) === end ? 'keys' : 'broken'
}

/** Returns where the array ends, or -1. */
function readKeys(bytes: Buffer, start: number, end: number, out: ChangedKeys): number {
  const lineEnd = bytes.indexOf(CR, start)
  if (bytes[start] !== ASTERISK || lineEnd < 0 || lineEnd >= end) return -1
  const count = parseInteger(bytes, start + 1, lineEnd)
  if (count === undefined || count < 0) return -1
  let at = lineEnd + 2
  for (let key = 0; key < count; key++) {
    const headerEnd = bytes.indexOf(CR, at)
    if (at >= end || bytes[at] !== DOLLAR || headerEnd < 0 || headerEnd >= end) return -1
    const length = parseInteger(bytes, at + 1, headerEnd)
    const keyStart = headerEnd + 2
    if (length === undefined || length < 0 || keyStart + length + 2 > end) return -1
    out.changed(bytes, keyStart, keyStart + length)
    at = keyStart + length + 2
  }
  return at
}

function isAt(expected: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const stop = start + expected.length
  return stop <= end && expected.equals(bytes.subarray(start, stop))
}
