/**
 * RESP2 and RESP3 framing for specs: small, slow and obvious, and independent of lib/resp, so
 * that the two can be held against each other.
 */

/** Lines that say a number of bytes, which follow with a CRLF of their own. */
const SIZED = new Set(['$', '!', '='])
/** Lines that are the whole value. */
const PLAIN = new Set(['+', '-', ':', '_', '#', ',', '('])
/** Lines that say a number of entries, with the values in each entry. */
const ENTRIES = new Map([
  ['*', 1],
  ['~', 1],
  ['>', 1],
  ['%', 2],
  ['|', 2],
])

/**
 * The offset after the value that starts at `start`, or undefined when more bytes are needed.
 * An attribute belongs to the value behind it. Throws on bytes that are not RESP.
 */
export function endOfFrame(bytes: Buffer, start: number): number | undefined {
  let position = start
  for (let valuesLeft = 1; valuesLeft > 0; valuesLeft -= 1) {
    const lineEnd = bytes.indexOf('\r\n', position)
    if (lineEnd === -1) return undefined
    const line = bytes.toString('latin1', position, lineEnd)
    const type = line.charAt(0)
    const entryValues = ENTRIES.get(type)
    position = lineEnd + 2
    if (entryValues !== undefined) {
      valuesLeft += entryValues * Math.max(0, length(line))
      if (type === '|') valuesLeft += 1
    } else if (SIZED.has(type)) {
      const size = length(line)
      if (size === -1) continue
      if (bytes.length < position + size + 2) return undefined
      position += size
      if (bytes.toString('latin1', position, position + 2) !== '\r\n') {
        throw new Error(`no CRLF after the ${size} bytes of ${JSON.stringify(line)}`)
      }
      position += 2
    } else if (!PLAIN.has(type)) {
      throw new Error(`not RESP: ${JSON.stringify(line.slice(0, 80))}`)
    }
  }
  return position
}

/** A request as clients send it: an array of bulk strings. Strings are latin1, one byte a character. */
export function encodeRequest(...args: readonly (string | Buffer)[]): Buffer {
  const parts = args.flatMap((arg) => {
    const bytes = latin1(arg)
    return [latin1(`$${bytes.length}\r\n`), bytes, latin1('\r\n')]
  })
  return Buffer.concat([latin1(`*${args.length}\r\n`), ...parts])
}

/** A bulk string reply. */
export function bulk(value: string | Buffer): Buffer {
  const bytes = latin1(value)
  return Buffer.concat([latin1(`$${bytes.length}\r\n`), bytes, latin1('\r\n')])
}

/** The arguments of one complete request frame. Throws when it is not an array of bulk strings. */
export function decodeRequest(frame: Buffer): Buffer[] {
  let position = frame.indexOf('\r\n') + 2
  const count = length(frame.toString('latin1', 0, position - 2))
  return Array.from({ length: count }, () => {
    const lineEnd = frame.indexOf('\r\n', position)
    const line = frame.toString('latin1', position, lineEnd)
    if (!line.startsWith('$')) throw new Error(`not a bulk string: ${JSON.stringify(line)}`)
    const start = lineEnd + 2
    const end = start + length(line)
    position = end + 2
    return frame.subarray(start, end)
  })
}

export function latin1(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value
}

/** The number behind a line's type character: -1 means null. */
function length(line: string): number {
  if (!/^.(-1|\d+)$/.test(line)) throw new Error(`not a RESP length: ${JSON.stringify(line)}`)
  return Number(line.slice(1))
}
