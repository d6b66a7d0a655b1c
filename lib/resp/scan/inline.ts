/**
 * Inline commands: a line of words, quoted as in Redis's `sdssplitargs`. Made for people with
 * telnet and for health checks; they leave here in canonical form like every other request.
 */

/** Between words, and after a closing quote: C's isspace. */
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d])
/** Within a word, fewer of them end it. */
const WORD_ENDS = new Set([0x20, 0x09, 0x0a, 0x0d])
const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27
const BACKSLASH = 0x5c

const ESCAPES = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['b', 0x08],
  ['a', 0x07],
])

/**
 * The words of an inline command, or the error: Redis's text, except for NUL bytes, which Redis would
 * accept.
 */
export function inlineWords(line: Buffer): Buffer[] | string {
  if (line.includes(0)) return 'NUL byte in inline request'
  return splitInline(line) ?? 'unbalanced quotes in request'
}

/** Where each of the words is in the canonical form of their request. */
export function wordsIn(
  words: readonly Buffer[],
): { readonly start: number; readonly end: number }[] {
  let next = `*${words.length}\r\n`.length
  return words.map(({ length }) => {
    const start = next + `$${length}\r\n`.length
    const end = start + length
    next = end + 2
    return { start, end }
  })
}

/** The words of `line`, or undefined when its quotes do not balance. */
export function splitInline(line: Buffer): Buffer[] | undefined {
  const words: Buffer[] = []
  let at = 0
  for (;;) {
    while (at < line.length && SPACES.has(line[at] as number)) at++
    if (at === line.length) return words
    const word: number[] = []
    const next = readWord(line, at, word)
    if (next < 0) return undefined
    words.push(Buffer.from(word))
    at = next
  }
}

/** Reads one word into `word` and returns where it ends, or -1 when a quote stays open. */
function readWord(line: Buffer, start: number, word: number[]): number {
  let at = start
  while (at < line.length && !WORD_ENDS.has(line[at] as number)) {
    const byte = line[at] as number
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
      const end = readQuoted(line, at + 1, byte, word)
      // A closing quote must be followed by a space or by nothing at all.
      if (end < 0 || (end < line.length && !SPACES.has(line[end] as number))) return -1
      return end
    }
    word.push(byte)
    at++
  }
  return at
}

/** Reads up to and over the closing quote; -1 without a closing quote. */
function readQuoted(line: Buffer, start: number, quote: number, word: number[]): number {
  let at = start
  while (at < line.length) {
    const byte = line[at] as number
    if (byte === quote) return at + 1
    if (byte !== BACKSLASH || at + 1 === line.length) {
      word.push(byte)
      at++
    } else if (quote === SINGLE_QUOTE) {
      // Within single quotes only \' is an escape.
      const escaped = line[at + 1] === SINGLE_QUOTE
      word.push(escaped ? SINGLE_QUOTE : BACKSLASH)
      at += escaped ? 2 : 1
    } else {
      at = readEscape(line, at + 1, word)
    }
  }
  return -1
}

/** `\xHH`, `\n` and friends; any other escaped byte stands for itself. */
function readEscape(line: Buffer, at: number, word: number[]): number {
  const hex = line.toString('latin1', at, at + 3)
  if (/^x[0-9a-fA-F]{2}$/.test(hex)) {
    word.push(Number.parseInt(hex.slice(1), 16))
    return at + 3
  }
  const byte = line[at] as number
  word.push(ESCAPES.get(String.fromCharCode(byte)) ?? byte)
  return at + 1
}
