/**
 * Which replies say that the keys which they are about were there. A replica in a cluster whose slot moves takes keys
 * that have gone for missing, so that what may be said of a missing key holds only if the slot does not move. Pure.
 */
import type { CommandRow } from '../../commands/row.ts'
import { COLON, CR, DOLLAR, LF, MINUS, parseInteger, ZERO } from '../../resp/bytes.ts'
import type { Certainty } from '../../upstream/replicas/reader.ts'

/** Their first key is the only one that their rows know, and not the only one that they read. */
const OF_MORE_KEYS = new Set(['sort_ro'])

const COUNTS = new Set(['exists', 'touch'])

/** Undefined for a command of which no reply says so: it reads several keys, or such as it does not name. */
export function certaintyOf(row: CommandRow): Certainty | undefined {
  if (row.name === 'mget') return hasAllValues
  if (COUNTS.has(row.name)) return countsAll
  if (!hasOneKey(row) || OF_MORE_KEYS.has(row.name)) return undefined
  return row.name.endsWith('scan') ? isThereBehindCursor : isThere
}

function hasOneKey({ keySpecs }: CommandRow): boolean {
  const [spec, ...others] = keySpecs
  return others.length === 0 && spec?.find.type === 'range' && spec.find.last === 0
}

/** `*2\r\n$1\r\na\r\n$1\r\nb\r\n`, without a null. */
function hasAllValues(bytes: Buffer, start: number, end: number): boolean {
  let at = bytes.indexOf(LF, start) + 1
  if (at === 0) return false
  while (at < end) {
    const lineEnd = bytes.indexOf(LF, at)
    if (lineEnd < 0 || bytes[at] !== DOLLAR || bytes[at + 1] === MINUS) return false
    const length = parseInteger(bytes, at + 1, lineEnd - 1)
    if (length === undefined) return false
    at = lineEnd + 1 + length + CRLF_BYTES
  }
  return at === end
}

const CRLF_BYTES = 2

function countsAll(bytes: Buffer, start: number, end: number, keyCount: number): boolean {
  return bytes.toString('latin1', start, end) === `:${keyCount}\r\n`
}

/** Whether one value in the reply is none that Redis gives for a missing key: no null, 0, false or empty one. */
const isThere: Certainty = (bytes, start, end) => hasValue(bytes, start, end)

/** A cursor says nothing of the key. */
const isThereBehindCursor: Certainty = (bytes, start, end) => {
  const heading = bytes.indexOf(LF, start) + 1
  const cursor = heading === 0 ? 0 : bytes.indexOf(LF, heading) + 1
  const elements = cursor === 0 ? 0 : bytes.indexOf(LF, cursor) + 1
  return elements > 0 && hasValue(bytes, elements, end)
}

/** Of the frames one behind the other; those within an aggregate follow its heading. */
function hasValue(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lineEnd = bytes.indexOf(LF, at)
    if (lineEnd < 0 || lineEnd >= end) return false
    if (isValue(bytes, at)) return true
    // An empty string has a line of its own.
    const isEmptyString = bytes[at] === DOLLAR && bytes[at + 1] === ZERO
    at = lineEnd + 1 + (isEmptyString ? CRLF_BYTES : 0)
  }
  return false
}

const COMMA = ','.charCodeAt(0)
const EQUALS = '='.charCodeAt(0)
const PLUS = '+'.charCodeAt(0)
const HASH = '#'.charCodeAt(0)
const TRUE = 't'.charCodeAt(0)

function isValue(bytes: Buffer, at: number): boolean {
  const first = bytes[at + 1] as number
  switch (bytes[at]) {
    case DOLLAR:
    case EQUALS:
    case COLON:
      return first !== ZERO && first !== MINUS && first !== CR
    case COMMA:
      return true
    case HASH:
      return first === TRUE
    case PLUS:
      return bytes.toString('latin1', at, at + NONE.length) !== NONE
    default:
      return false
  }
}

/** What TYPE says of a missing key. */
const NONE = '+none\r\n'
