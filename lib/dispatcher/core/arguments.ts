/** A request's arguments, for commands that are rare enough to be decoded. */
import { requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'

/** The bytes of an argument; valid as long as the request is. */
export function argument(request: Request, index: number): Buffer {
  return request.bytes.subarray(request.offsets[2 * index], request.offsets[2 * index + 1])
}

/** As text in latin-1: one character a byte, nothing lost. */
export function argumentText(request: Request, index: number): string {
  const { bytes, offsets } = request
  return bytes.toString('latin1', offsets[2 * index], offsets[2 * index + 1])
}

/** In upper case, for option words. */
export function argumentWord(request: Request, index: number): string {
  return argumentText(request, index).toUpperCase()
}

/** All of them as text in latin-1. */
export function wordsOf(request: Request): string[] {
  return Array.from({ length: request.argc }, (_, index) => argumentText(request, index))
}

/** The request that has these words, each in latin-1. */
export function requestOfWords(words: readonly string[]): Request {
  const parts = words.map((word) => Buffer.from(word, 'latin1'))
  const bytes = requestFrame(parts)
  const offsets = new Int32Array(2 * parts.length)
  let end = bytes.indexOf('\n') + 1
  for (const [index, part] of parts.entries()) {
    const start = bytes.indexOf('\n', end) + 1
    offsets[2 * index] = start
    offsets[2 * index + 1] = start + part.length
    end = start + part.length + 2
  }
  return { bytes, frameStart: 0, frameEnd: bytes.length, argc: parts.length, offsets }
}
