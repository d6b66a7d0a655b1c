/** Draws an index, each as likely as its weight's share of the sum. */

/** `random`: 0 <= x < 1. Returns -1 when all weights are 0. */
export function drawWeighted(weights: readonly number[], random: number): number {
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0)
  // Rounding may leave a rest at the end; the last index with a weight gets it.
  let drawn = -1
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue
    drawn = index
    if (rest < weight) break
    rest -= weight
  }
  return drawn
}
