/**
 * How a key is shown to operators: by the hash that placed it, in clear, or not at all. A hash lets a reader
 * confirm a key that he suspects, or find it by trying likely keys; it does not name the key.
 */
import { SHOWN_KEY_BYTES_MAX } from '../../limits.ts'

export type ShowKeys = 'hashed' | 'clear' | 'off'

/** The hash of a request that has no key. */
export const NO_KEY = -1

/** The part of `bytes[start, end)` that is kept where keys are shown in clear: latin-1, cut. */
export function keptKey(bytes: Buffer, start: number, end: number): string {
  const cut = Math.min(end, start + SHOWN_KEY_BYTES_MAX)
  const text = bytes.toString('latin1', start, cut)
  return cut === end ? text : `${text}... (${end - cut} more bytes)`
}

/**
 * The key as pages and replies show it; null when the request has no key or keys are not shown. `kept` is
 * defined if keys were shown in clear when the request came.
 */
export function shownKey(show: ShowKeys, hash: number, kept: string | undefined): string | null {
  if (show === 'off' || hash === NO_KEY) return null
  if (show === 'clear' && kept !== undefined) return escaped(kept)
  return `hash:0x${hash.toString(16).padStart(8, '0')}`
}

/** Text stays as it is; bytes that are no text, or control a terminal, become `\xNN`. */
function escaped(latin1: string): string {
  const text = Buffer.from(latin1, 'latin1').toString()
  // A key that is cut may end in the middle of a character.
  if (!/[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/u.test(text)) return text
  return latin1.replace(/[^\x20-\x7e]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
