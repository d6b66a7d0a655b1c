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
