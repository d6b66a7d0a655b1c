/** Encoders: the few frames that are made here rather than passed through. */

export const OK = Buffer.from('+OK\r\n')
export const PONG = Buffer.from('+PONG\r\n')

export function integerFrame(value: number | bigint): Buffer {
  return Buffer.from(`:${value}\r\n`, 'latin1')
}

export function bulkFrame(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`, 'latin1'), bytes, CRLF])
}

/** Headers of small arrays, made once. They must never change. */
const ARRAY_HEADERS = Array.from({ length: 1024 }, (_, n) => Buffer.from(`*${n}\r\n`, 'latin1'))

/** `*<length>\r\n`; shared: the caller must not change it. */
export function arrayHeader(length: number): Buffer {
  return ARRAY_HEADERS[length] ?? Buffer.from(`*${length}\r\n`, 'latin1')
}

/** A request in canonical form, `*n` and n bulk strings; strings are taken as latin-1. */
export function requestFrame(args: readonly (Uint8Array | string)[]): Buffer {
  const parts: Uint8Array[] = [arrayHeader(args.length)]
  for (const arg of args) {
    parts.push(bulkFrame(typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg))
  }
  return Buffer.concat(parts)
}

const CRLF = Buffer.from('\r\n')

/** A reply made here. Strings are bulk strings in UTF-8; a Map is a map in RESP3 and a flat array in RESP2. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | readonly Value[]
  | ReadonlyMap<string | bigint, Value>
  | ReadonlySet<Value>
  | SimpleString
  | VerbatimText
  | Double

export class SimpleString {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Text for people: a verbatim string in RESP3, a bulk string in RESP2. */
export class VerbatimText {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }
}

/** A double in RESP3, a bulk string in RESP2; `text` as Redis writes it. */
export class Double {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The frame for a value, in the client's protocol. Depth is bounded by our own code, not by input. */
export function encodeValue(value: Value, protocol: 2 | 3): Buffer {
  const parts: Uint8Array[] = []
  writeValue(value, protocol, parts)
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
}

function writeValue(value: Value, protocol: 2 | 3, parts: Uint8Array[]): void {
  if (typeof value === 'string') parts.push(bulkFrame(Buffer.from(value)))
  else if (typeof value === 'number' || typeof value === 'bigint') parts.push(integerFrame(value))
  else if (typeof value === 'boolean') parts.push(booleanFrame(value, protocol))
  else if (value === null) parts.push(nullFrame(protocol))
  else if (Buffer.isBuffer(value)) parts.push(bulkFrame(value))
  else if (value instanceof SimpleString) parts.push(Buffer.from(`+${value.text}\r\n`))
  else if (value instanceof VerbatimText) parts.push(verbatimFrame(value.bytes, protocol))
  else if (value instanceof Double) parts.push(doubleFrame(value.text, protocol))
  else writeAggregate(value as readonly Value[], protocol, parts)
}

function writeAggregate(
  value: readonly Value[] | ReadonlyMap<string | bigint, Value> | ReadonlySet<Value>,
  protocol: 2 | 3,
  parts: Uint8Array[],
): void {
  if (value instanceof Map) {
    const header = protocol === 3 ? `%${value.size}` : `*${2 * value.size}`
    parts.push(Buffer.from(`${header}\r\n`))
    for (const [key, item] of value) {
      writeValue(key, protocol, parts)
      writeValue(item, protocol, parts)
    }
    return
  }
  const items = [...(value as Iterable<Value>)]
  const kind = value instanceof Set && protocol === 3 ? '~' : '*'
  parts.push(Buffer.from(`${kind}${items.length}\r\n`))
  for (const item of items) writeValue(item, protocol, parts)
}

/** "Does not exist": RESP2's null bulk string, RESP3's null. */
export function nullFrame(protocol: 2 | 3): Buffer {
  return protocol === 3 ? NULL : NULL_BULK
}

/** The null in place of an array: no element has come in time. */
export function nullArrayFrame(protocol: 2 | 3): Buffer {
  return protocol === 3 ? NULL : NULL_ARRAY
}

function verbatimFrame(bytes: Buffer, protocol: 2 | 3): Buffer {
  if (protocol === 2) return bulkFrame(bytes)
  return Buffer.concat([Buffer.from(`=${bytes.length + 4}\r\ntxt:`), bytes, CRLF])
}

function doubleFrame(text: string, protocol: 2 | 3): Buffer {
  return protocol === 2 ? bulkFrame(Buffer.from(text)) : Buffer.from(`,${text}\r\n`)
}

function booleanFrame(value: boolean, protocol: 2 | 3): Buffer {
  if (protocol === 2) return integerFrame(value ? 1 : 0)
  return Buffer.from(value ? '#t\r\n' : '#f\r\n')
}

const NULL = Buffer.from('_\r\n')
const NULL_ARRAY = Buffer.from('*-1\r\n')
const NULL_BULK = Buffer.from('$-1\r\n')
