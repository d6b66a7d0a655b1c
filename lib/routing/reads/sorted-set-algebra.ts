/**
 * Union, intersection and difference of sorted sets that shards sent, with the arithmetic of
 * Redis's `zunionInterDiffGenericCommand` (t_zset.c), so that the scores come out equal to the last
 * bit. Members are strings in latin-1: one character, one byte.
 */

export type ScoredMember = readonly [member: string, score: number]

/** One key of the command. The same set may stand in several inputs. */
export interface ScoredInput {
  readonly scores: ReadonlyMap<string, number>
  readonly weight: number
}

type Combine = (sum: number, value: number) => number

/** By the word behind AGGREGATE. */
export const AGGREGATES = {
  // Infinities of opposite sign make NaN, which Redis counts as 0.
  SUM: (sum, value) => zeroIfNaN(sum + value),
  // Not Math.min and Math.max: those let a NaN win, and order -0 before 0.
  MIN: (sum, value) => (value < sum ? value : sum),
  MAX: (sum, value) => (value > sum ? value : sum),
} as const satisfies Record<string, Combine>

export type Aggregate = keyof typeof AGGREGATES

export function unionOfScored(
  inputs: readonly ScoredInput[],
  aggregate: Aggregate,
): ScoredMember[] {
  const combine = AGGREGATES[aggregate]
  const union = new Map<string, number>()
  for (const { scores, weight } of smallestFirst(inputs)) {
    for (const [member, score] of scores) {
      // Infinity times a weight of 0.
      const value = zeroIfNaN(weight * score)
      const sum = union.get(member)
      union.set(member, sum === undefined ? value : combine(sum, value))
    }
  }
  return inScoreOrder([...union])
}

/** Precondition: at least one input. */
export function intersectionOfScored(
  inputs: readonly ScoredInput[],
  aggregate: Aggregate,
): ScoredMember[] {
  const combine = AGGREGATES[aggregate]
  const [smallest, ...others] = smallestFirst(inputs)
  const { scores, weight } = smallest as ScoredInput
  const common: ScoredMember[] = []
  for (const [member, score] of scores) {
    let sum: number | undefined = zeroIfNaN(weight * score)
    for (const other of others) {
      const value = other.scores.get(member)
      sum = value === undefined ? undefined : combine(sum, value * other.weight)
      if (sum === undefined) break
    }
    if (sum !== undefined) common.push([member, sum])
  }
  return inScoreOrder(common)
}

/** The order of `first` stays. */
export function differenceOfScored(
  first: readonly ScoredMember[],
  others: readonly (readonly string[])[],
): ScoredMember[] {
  const taken = new Set<string>()
  for (const members of others) for (const member of members) taken.add(member)
  return first.filter(([member]) => !taken.has(member))
}

/** As Redis does it: floating-point sums depend on the order. Equal sizes keep theirs. */
function smallestFirst(inputs: readonly ScoredInput[]): ScoredInput[] {
  return inputs.toSorted((a, b) => a.scores.size - b.scores.size)
}

/** By score and then by the members' bytes. */
function inScoreOrder(members: ScoredMember[]): ScoredMember[] {
  return members.sort(([memberA, scoreA], [memberB, scoreB]) => {
    if (scoreA !== scoreB) return scoreA < scoreB ? -1 : 1
    return memberA < memberB ? -1 : 1
  })
}

function zeroIfNaN(value: number): number {
  return Number.isNaN(value) ? 0 : value
}
