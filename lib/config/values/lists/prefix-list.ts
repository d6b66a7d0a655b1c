/** Prefixes of keys, as an option has them. */
import { type Format, type Problem, type Raw, refused, shown } from '../formats.ts'

/** One or more, comma-separated or as a list; `*` alone stands for all keys. */
export const prefixList: Format<readonly string[]> = {
  accepts: 'beginnings of keys such as config:,page:, separated by commas; * is all keys',
  parse: (raw) => {
    const entries = typeof raw === 'string' ? raw.split(',') : raw
    if (!Array.isArray(entries) || entries.length === 0) {
      return refused(`${shown(raw)} is not a list of prefixes`)
    }
    const prefixes = entries.map((entry: Raw) => (typeof entry === 'string' ? entry.trim() : ''))
    const problems = prefixes.flatMap((prefix, index): Problem[] => {
      const at = typeof raw === 'string' ? [] : [index]
      if (prefix === '') return [{ at, text: 'has an empty prefix; * is all keys' }]
      if (!prefix.includes('*') || prefix === '*') return []
      return [
        { at, text: `${shown(prefix)} is no prefix: keys that begin so need no * at its end` },
      ]
    })
    return problems.length > 0 ? { problems } : { value: prefixes }
  },
  text: (prefixes) => prefixes.join(','),
}
