/** A request's arguments, for commands that are rare enough to be decoded. */
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
