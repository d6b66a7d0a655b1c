/** "Did you mean ...?" for mistyped names. */

/**
 * Edits (insert, delete, replace, swap neighbours) that turn one word into the other. The words are
 * names a human typed, some 40 characters; the table of all prefixes is small.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped)
        cost = Math.min(cost, at(beforePrevious, column - 2) + 1)
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, to.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}

/** The candidate nearest to the word, if it is near enough to be what was meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(word)
  // An abbreviation is how people shorten: `prod` for `production`.
  const longer = candidates.filter((candidate) => plain(candidate).startsWith(wanted))
  if (longer.length === 1 && wanted.length >= 3) return longer[0]
  let best: string | undefined
  // Two slips in a short word, one in three letters of a long one.
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate))
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Case and joints do not count: `max-clients`, `MAX_CLIENTS` and `maxClients` are one name. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '')
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word.slice(0, 64), candidates)
  return candidate === undefined ? '' : `; did you mean "${candidate}"?`
}
