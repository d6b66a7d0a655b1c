/**
 * Reads a complete, verified reply frame into values, for the few replies whose insides must be
 * merged (statistics, settings). Never for data: there bytes pass through.
 */
import { Double, type Value, VerbatimText } from './encode.ts'

/** Statistics nest three deep; a much deeper reply is not one. */
const DEPTH_MAX = 8

/**
 * The value, or undefined when the frame nests too deep or is of a kind that statistics do not
 * have. Strings become Buffers (views of the frame). RESP2 sends an array instead of a map, see
 * `fieldsOf`.
 */
export function readReply(frame: Buffer): Value | undefined {
  return new Reader(frame).value(0)
}

/** By name, in latin-1; the buckets of a histogram by their bounds. */
export type Fields = Map<string | bigint, Value>

/** The fields of a RESP3 map or of RESP2's flat array; undefined when it is neither. */
export function fieldsOf(value: Value | undefined): Fields | undefined {
  if (value instanceof Map) return value
  if (!Array.isArray(value) || value.length % 2 !== 0) return undefined
  const fields: Fields = new Map()
  for (let i = 0; i < value.length; i += 2) {
    const name: Value = value[i]
    if (Buffer.isBuffer(name)) fields.set(name.toString('latin1'), value[i + 1])
    else if (typeof name === 'bigint') fields.set(name, value[i + 1])
    else return undefined
  }
  return fields
}

class Reader {
  readonly #frame: Buffer
  #at = 0

  constructor(frame: Buffer) {
    this.#frame = frame
  }

  value(depth: number): Value | undefined {
    const kind = String.fromCharCode(this.#frame[this.#at] as number)
    const line = this.#line()
    switch (kind) {
      case '+':
        return Buffer.from(line, 'latin1')
      case ':':
        return BigInt(line)
      case ',':
        return new Double(line)
      case '#':
        return line === 't'
      case '_':
        return null
      case '$':
      case '=':
        return this.#string(Number(line), kind === '=')
      case '*':
      case '~':
        return this.#array(Number(line), depth)
      case '%':
        return this.#map(Number(line), depth)
      default:
        return undefined
    }
  }

  #line(): string {
    const end = this.#frame.indexOf('\r\n', this.#at)
    const line = this.#frame.toString('latin1', this.#at + 1, end)
    this.#at = end + 2
    return line
  }

  #string(length: number, verbatim: boolean): Value {
    if (length < 0) return null
    const start = this.#at
    this.#at += length + 2
    const bytes = this.#frame.subarray(start, start + length)
    // `txt:` says what kind of text it is.
    return verbatim ? new VerbatimText(bytes.subarray(4)) : bytes
  }

  #array(count: number, depth: number): Value | undefined {
    if (count < 0) return null
    const values: Value[] = []
    for (let i = 0; i < count; i++) {
      const value = depth < DEPTH_MAX ? this.value(depth + 1) : undefined
      if (value === undefined) return undefined
      values.push(value)
    }
    return values
  }

  #map(count: number, depth: number): Value | undefined {
    return fieldsOf(this.#array(2 * count, depth))
  }
}
