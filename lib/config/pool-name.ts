/** Names of pools. */

/** The pool of the options that stand at the top of a file. */
export const DEFAULT_POOL = 'default'

/** What is wrong with the name of a further pool; undefined when nothing is. */
export function poolNameProblem(name: string): string | undefined {
  if (name === DEFAULT_POOL) return 'is the pool of the options at the top of the file'
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) {
    return 'is no name for a pool: letters, digits, dots, dashes and underscores, 63 at most'
  }
  return undefined
}
