/** What a shard's error says about the shard itself, rather than about the request. */
import { isError } from '../../stats/error-kinds.ts'

/**
 * - `readOnly`: it is a replica now, or our connections lead to one: READONLY, or Valkey's REDIRECT.
 * - `notServing`: it answers that to everything, for a while.
 */
export type Sign = 'readOnly' | 'notServing'

/** A script of Redis 6 wraps the error in its own, EXEC in `EXECABORT`; a blocked client hears of the change. */
const READ_ONLY = /^-REDIRECT |-READONLY\b|\bREADONLY You can|-UNBLOCKED force unblock/
const NOT_SERVING = /^(?:-|!\d+\r\n)(?:LOADING|MASTERDOWN|BUSY) /
/** Longer than any such error. */
const ERROR_BYTES = 512
/** Of what EXEC answers only the beginning is looked through. */
const ARRAY_BYTES = 16 * 1024

/** `bytes[start, end)` is a reply or the beginning of one: an error, or the array that EXEC answers. */
export function signIn(bytes: Buffer, start: number, end: number): Sign | undefined {
  if (!isError(bytes[start])) {
    const beginning = bytes.subarray(start, Math.min(end, start + ARRAY_BYTES))
    return beginning.includes('\n-READONLY ') ? 'readOnly' : undefined
  }
  const text = bytes.toString('latin1', start, Math.min(end, start + ERROR_BYTES))
  if (NOT_SERVING.test(text)) return 'notServing'
  return READ_ONLY.test(text) ? 'readOnly' : undefined
}
