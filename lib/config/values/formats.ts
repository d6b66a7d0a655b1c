/**
 * Strict readers for option values. convict's own formats are not used for this: they turn `off`
 * into true, `12abc` into 12, `1e3` into 1 and `0x10` into 0.
 *
 * A value comes as written: text from a flag, a variable or a file's scalar, or a file's list or
 * map. A value that is not exactly of the form is refused, with everything that is wrong with it.
 */
import { isIP } from 'node:net'
import { HOST_NAME } from './address.ts'
import { didYouMean } from './suggest.ts'

/** A value as written. Files are read without guessing types, so every scalar is text. */
export type Raw = string | null | readonly Raw[] | RawMap

export interface RawMap {
  readonly [key: string]: Raw
}

export function isRawMap(raw: Raw | undefined): raw is RawMap {
  return raw !== null && typeof raw === 'object' && !Array.isArray(raw)
}

export interface Problem {
  /** Where inside the value: list indices and map keys, to find the line in a file. */
  readonly at: readonly (string | number)[]
  /** What is wrong, as a clause without a full stop. Holds no secret. */
  readonly text: string
}

export type Parsed<Value> = { readonly value: Value } | { readonly problems: readonly Problem[] }

export interface Reader<Value> {
  /** What it takes, for --help and docs/configuration.md. */
  readonly accepts: string
  readonly parse: (raw: Raw) => Parsed<Value>
}

export interface Format<Value> extends Reader<Value> {
  /** The value as operators are shown it: no secret. */
  text(value: Value): string
}

export function refused(text: string, at: readonly (string | number)[] = []): Parsed<never> {
  return { problems: [{ at, text }] }
}

/** A foreign value inside a message: quoted, escaped, cut. */
export function shown(raw: Raw): string {
  if (raw === null) return 'nothing'
  if (typeof raw !== 'string') return Array.isArray(raw) ? 'a list' : 'a map'
  return JSON.stringify(raw.length > 100 ? `${raw.slice(0, 100)}...` : raw)
}

/** Text to an integer, without any of parseInt's kindness; undefined when it is not one. */
export function parseInteger(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]*)$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

function textFormat<Value>(
  accepts: string,
  parse: (text: string) => Value | undefined,
  hint: (text: string) => string = () => '',
  text: (value: Value) => string = String,
): Format<Value> {
  return {
    accepts,
    text,
    parse: (raw) => {
      const value = typeof raw === 'string' ? parse(raw) : undefined
      if (value !== undefined) return { value }
      return refused(`${shown(raw)} is not ${accepts}${typeof raw === 'string' ? hint(raw) : ''}`)
    },
  }
}

export interface IntegerRange {
  readonly min: number
  readonly max: number
  /** What is counted, in the plural: `milliseconds`. */
  readonly unit?: string
  /** What 0 means, where it is special. */
  readonly zero?: string
}

export function strictInteger({ min, max, unit, zero }: IntegerRange): Format<number> {
  const of = unit === undefined ? '' : ` of ${unit}`
  const note = zero === undefined ? '' : ` (0: ${zero})`
  const parse = (text: string): number | undefined => {
    const value = parseInteger(text)
    return value !== undefined && value >= min && value <= max ? value : undefined
  }
  return textFormat(
    `a whole number${of} from ${min} to ${max}${note}`,
    parse,
    undefined,
    (value) => {
      return value === 0 && zero !== undefined ? `0 (${zero})` : `${value}`
    },
  )
}

/** A whole number, or `all`: how many that is follows from another option. */
export function numberOrAll(range: IntegerRange): Format<number | 'all'> {
  return numberOr('all', range)
}

/** A whole number, or `auto`: how many that is follows from the machine. */
export function numberOrAuto(range: IntegerRange): Format<number | 'auto'> {
  return numberOr('auto', range)
}

function numberOr<Word extends string>(
  word: Word,
  { min, max, unit }: IntegerRange,
): Format<number | Word> {
  const of = unit === undefined ? '' : ` of ${unit}`
  return textFormat<number | Word>(
    `a whole number${of} from ${min} to ${max}, or ${word}`,
    (text) => {
      if (text === word) return word
      const value = parseInteger(text)
      return value !== undefined && value >= min && value <= max ? value : undefined
    },
  )
}

const TRUE_WORDS = ['true', 'yes', 'on', '1']
const FALSE_WORDS = ['false', 'no', 'off', '0']

export const strictBoolean: Format<boolean> = textFormat(
  'one of true, yes, on, 1, false, no, off, 0',
  (text) => {
    const word = text.toLowerCase()
    if (TRUE_WORDS.includes(word)) return true
    return FALSE_WORDS.includes(word) ? false : undefined
  },
  undefined,
  (value) => (value ? 'yes' : 'no'),
)

export function choice<const Word extends string>(words: readonly Word[]): Format<Word> {
  return textFormat(
    `one of ${words.join(', ')}`,
    (text) => words.find((word) => word === text),
    (text) => didYouMean(text, words),
  )
}

/** As twemproxy's hash_tag: exactly two bytes. Empty: whole keys are hashed. */
export const hashTag: Format<string> = textFormat(
  'two ASCII characters such as {}, or empty for none',
  (text) => (/^(?:[\x21-\x7e]{2})?$/.test(text) ? text : undefined),
  undefined,
  (value) => (value === '' ? 'none' : value),
)

/** A name or a path: some text, no control characters (which only a mistake puts there). */
export function plainText(accepts: string): Format<string> {
  return textFormat(accepts, (text) => (/^\P{Cc}+$/u.test(text) ? text : undefined))
}

/** The text of a whole file. It is never shown, for it may hold passwords. */
export const configText: Format<string> = {
  accepts: 'YAML or JSON, as in a configuration file',
  parse: (raw) => (typeof raw === 'string' ? { value: raw } : refused('is not text')),
  text: () => '***',
}

/** A name as in DNS, and no address: TLS knows names only (RFC 6066, section 3). */
export const hostName: Format<string> = textFormat('a host name, not an address', (text) =>
  HOST_NAME.test(text) && isIP(text) === 0 ? text : undefined,
)

/** One or more names, comma-separated or as a list; `*.` before one stands for all below it. */
export const hostList: Format<readonly string[]> = {
  accepts: 'host names, separated by commas; *.example.com stands for all below example.com',
  parse: (raw) => {
    const entries = typeof raw === 'string' ? raw.split(',') : raw
    if (!Array.isArray(entries)) return refused(`${shown(raw)} is not a list of host names`)
    const names = entries.map((entry: Raw) => (typeof entry === 'string' ? entry.trim() : ''))
    const problems = names.flatMap((name, index): Problem[] => {
      if (HOST_NAME.test(name.replace(/^\*\./, ''))) return []
      const at = typeof raw === 'string' ? [] : [index]
      return [{ at, text: `${shown(entries[index] as Raw)} is not a host name without a port` }]
    })
    return problems.length > 0 ? { problems } : { value: names }
  },
  text: (names) => names.join(','),
}

/** Like plainText, but no message shows the value. */
export const secretText: Format<string> = {
  accepts: 'some text on one line',
  parse: (raw) => {
    if (typeof raw === 'string' && /^\P{Cc}+$/u.test(raw)) return { value: raw }
    return refused('is empty, not text, or holds a line break or another control character')
  },
  text: () => '***',
}
