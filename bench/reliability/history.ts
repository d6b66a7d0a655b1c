/** What writers were told, held against what the master has in the end. Pure. */

/** One write: a number that nobody else writes. */
export interface Write {
  readonly number: number
  readonly sentMs: number
  readonly repliedMs: number
  /** Undefined: acknowledged. */
  readonly error: string | undefined
}

export interface Verdict {
  readonly acknowledged: number
  /** Acknowledged, and not there. */
  readonly lost: readonly Write[]
  /** What contradicts a promise: done twice, out of order, never asked for, done though `not sent`. */
  readonly broken: readonly string[]
  /** How often writers were told which error. */
  readonly errors: ReadonlyMap<string, number>
}

/** `found`: the numbers in one writer's list, in its order there. */
export function judge(writes: readonly Write[], found: readonly number[]): Verdict {
  const broken: string[] = []
  const there = new Set<number>()
  let last = -1
  for (const number of found) {
    if (there.has(number)) broken.push(`${number} done twice`)
    else if (number < last) broken.push(`${number} done after ${last}`)
    there.add(number)
    last = number
  }
  const errors = new Map<string, number>()
  for (const { number, error } of writes) {
    if (error === undefined) continue
    errors.set(error, (errors.get(error) ?? 0) + 1)
    if (error.includes('(not sent)') && there.has(number)) broken.push(`${number} done, not sent`)
  }
  const asked = new Set(writes.map(({ number }) => number))
  for (const number of there) if (!asked.has(number)) broken.push(`${number} never asked for`)
  const acknowledged = writes.filter(({ error }) => error === undefined)
  const lost = acknowledged.filter(({ number }) => !there.has(number))
  return { acknowledged: acknowledged.length, lost, broken, errors }
}

/** All writers' together. */
export function together(verdicts: readonly Verdict[]): Verdict {
  const errors = new Map<string, number>()
  for (const verdict of verdicts) {
    for (const [text, count] of verdict.errors) errors.set(text, (errors.get(text) ?? 0) + count)
  }
  return {
    acknowledged: verdicts.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    lost: verdicts.flatMap(({ lost }) => lost),
    broken: verdicts.flatMap(({ broken }) => broken),
    errors,
  }
}
