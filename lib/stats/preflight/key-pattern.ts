/** What keys of one kind have in common: the key without its numbers and identifiers. */

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi
/** Hashes and random identifiers: long, and with a digit, which words have not. */
const HASH = /(?=[a-z]*[0-9])[0-9a-z]{16,}/gi
const NUMBER = /[0-9]+/g

/** `cart:17:items` is of the pattern `cart:<n>:items`. The key is cut to what is kept of keys. */
export function patternOf(key: string): string {
  // Numbers last: the other two replacements contain none.
  return key.replace(UUID, '<uuid>').replace(HASH, '<hash>').replace(NUMBER, '<n>')
}

/** What stands before the first variable of a pattern; empty if it begins with one. */
export function prefixOf(pattern: string): string {
  const variable = pattern.indexOf('<')
  return variable < 0 ? pattern : pattern.slice(0, variable)
}

/** FNV-1a over the characters, a uint32: by which a pattern is known where keys are not shown. */
export function patternHash(pattern: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < pattern.length; i++) {
    hash = Math.imul(hash ^ pattern.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
