/**
 * Redis's glob patterns (util.c, stringmatchlen): `*`, `?`, `[a-z]`, `[^a]` and `\` before what
 * stands for itself. Linear in text times pattern at worst: after a mismatch only the last `*` takes
 * one more character, so that no pattern makes it take for ever.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0
  let place = 0
  let star = -1
  let starText = 0
  while (place < text.length) {
    const end = matchOne(pattern, at, text.charCodeAt(place))
    if (pattern[at] === '*') {
      star = at++
      starText = place
    } else if (end > 0) {
      at = end
      place++
    } else if (star >= 0) {
      at = star + 1
      place = ++starText
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/** The place in the pattern behind what matches `code`, or 0 when it does not. */
function matchOne(pattern: string, at: number, code: number): number {
  if (at >= pattern.length) return 0
  if (pattern[at] === '?') return at + 1
  if (pattern[at] === '[') return matchClass(pattern, at + 1, code)
  const literal = pattern[at] === '\\' && at + 1 < pattern.length ? at + 1 : at
  return pattern.charCodeAt(literal) === code ? literal + 1 : 0
}

/** A class without its `]` ends with the pattern. */
function matchClass(pattern: string, start: number, code: number): number {
  const negated = pattern[start] === '^'
  let at = negated ? start + 1 : start
  let found = false
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++
    const low = pattern.charCodeAt(at)
    const isRange = pattern[at + 1] === '-' && at + 2 < pattern.length
    const high = isRange ? pattern.charCodeAt(at + 2) : low
    if (code >= Math.min(low, high) && code <= Math.max(low, high)) found = true
    at += isRange ? 3 : 1
  }
  return found !== negated ? Math.min(at + 1, pattern.length) : 0
}
