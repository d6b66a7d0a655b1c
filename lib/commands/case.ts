/** Comparing words without regard to case, as Redis does: ASCII letters only, in place. */
import type { Request } from '../resp/request.ts'

/** The lower case of each byte value. */
export const LOWER_CASE = Uint8Array.from({ length: 256 }, (_, byte) => {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
})

/** Whether argument `index` is `word` in any case. Precondition: `index` < argc; `word` is ASCII. */
export function isWord(request: Request, index: number, word: string): boolean {
  const { bytes, offsets } = request
  const start = offsets[2 * index] as number
  if ((offsets[2 * index + 1] as number) - start !== word.length) return false
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i] as number
    if (LOWER_CASE[byte] !== LOWER_CASE[word.charCodeAt(i)]) return false
  }
  return true
}
