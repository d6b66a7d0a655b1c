/** The number in the middle; the mean of the two there, if they are an even number. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [sorted.at(-middle - 1), sorted[middle]]
  return (low + high) / 2
}
