/**
 * Union, intersection and difference of sets that shards sent, in the order in which one Redis
 * would give the result. Members are strings in latin-1: one character, one byte.
 */

/**
 * Redis keeps a small set of integers sorted (`set-max-intset-entries`); the order of any other set
 * follows from the hash seed of the process and means nothing.
 */
const SORTED_MEMBERS_MAX = 512
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

export type Members = readonly string[]

export function unionOf(sets: readonly Members[]): string[] {
  const union = new Set<string>()
  for (const set of sets) for (const member of set) union.add(member)
  return inRedisOrder([...union])
}

/** Precondition: at least one set. */
export function intersectionOf(sets: readonly Members[]): string[] {
  const [smallest, ...others] = sets.toSorted((a, b) => a.length - b.length)
  const lookups = others.map((set) => new Set(set))
  const common = (smallest as Members).filter((member) => lookups.every((set) => set.has(member)))
  return inRedisOrder(common)
}

export function differenceOf(first: Members, others: readonly Members[]): string[] {
  const taken = new Set<string>()
  for (const set of others) for (const member of set) taken.add(member)
  return inRedisOrder(first.filter((member) => !taken.has(member)))
}

function inRedisOrder(members: string[]): string[] {
  if (members.length > SORTED_MEMBERS_MAX || !members.every(isInteger)) return members
  const values = members.map(BigInt).sort((a, b) => (a < b ? -1 : 1))
  return values.map(String)
}

/** Whether Redis would store it as an integer: 64 bits, and no other way to write the same number. */
function isInteger(text: string): boolean {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return false
  const value = BigInt(text)
  return value >= INT64_MIN && value <= INT64_MAX
}
