/**
 * A program and its arguments, as they go to the system: no shell expands them. On one line words are
 * separated by blanks, with the quotes and backslashes of a shell. A file may have a list instead,
 * each item one word.
 */
import { CREDENTIALS_COMMAND_WORDS_MAX } from '../../limits.ts'
import { type Format, type Parsed, type Raw, refused, shown } from './formats.ts'

export const commandLine: Format<readonly string[]> = {
  accepts: 'a program and its arguments on one line, quoted as for a shell, or a list of words',
  parse: parseCommandLine,
  // An argument may be a secret, though it should not be one.
  text: ([program = '', ...words]) => {
    if (words.length === 0) return program
    return `${program} (and ${words.length} ${words.length === 1 ? 'argument' : 'arguments'})`
  },
}

function parseCommandLine(raw: Raw): Parsed<readonly string[]> {
  const words = typeof raw === 'string' ? wordsOf(raw) : listOf(raw)
  if (words === undefined) return refused(`${shown(raw)} is not a program with its arguments`)
  // Every process list has the arguments; we still do not show them.
  if (typeof words === 'string') return refused(`holds ${words}`)
  if (words.length === 0 || words[0] === '') return refused('names no program')
  if (words.length > CREDENTIALS_COMMAND_WORDS_MAX) {
    return refused(`has more than ${CREDENTIALS_COMMAND_WORDS_MAX} words`)
  }
  if (words.some((word) => word.includes('\0'))) return refused('holds a null byte')
  return { value: words }
}

function listOf(raw: Raw): readonly string[] | undefined {
  if (!Array.isArray(raw) || raw.some((item: Raw) => typeof item !== 'string')) return undefined
  return raw as readonly string[]
}

/** One piece of a word: what is in quotes, an escaped character, or text without either. */
const PIECE = /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/sy

/** The words, or what is wrong. */
function wordsOf(line: string): readonly string[] | string {
  const words: string[] = []
  let at = 0
  for (;;) {
    at += /^\s*/.exec(line.slice(at))?.[0].length ?? 0
    if (at === line.length) return words
    let word = ''
    while (at < line.length && !/\s/.test(line[at] as string)) {
      PIECE.lastIndex = at
      const piece = PIECE.exec(line)
      if (piece === null) return 'a quote without its other half, or a backslash at its end'
      const [, single, double, escaped, plain] = piece
      word += single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? ''
      at = PIECE.lastIndex
    }
    words.push(word)
  }
}
