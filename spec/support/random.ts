/** Seeded pseudo-random numbers: a failing spec prints its seed and can be run again. */

export interface Random {
  readonly seed: number
  /** A float, 0 <= x < 1. */
  next(): number
  /** An integer, `from` <= x < `to`. */
  integer(from: number, to: number): number
  pick<T>(items: readonly T[]): T
  bytes(length: number): Buffer
}

/** mulberry32: 32 bits of state are plenty for test data, and any integer is a good seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }

  function integer(from: number, to: number): number {
    return from + Math.floor(next() * (to - from))
  }

  function pick<T>(items: readonly T[]): T {
    const item = items[integer(0, items.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  function bytes(length: number): Buffer {
    const result = Buffer.alloc(length)
    for (let i = 0; i < length; i += 1) result[i] = integer(0, 256)
    return result
  }

  return { seed, next, integer, pick, bytes }
}

/** The seed of this run: `SPEC_SEED` to repeat a failure, else a new one each time. */
export function specSeed(): number {
  const given = process.env['SPEC_SEED']
  return given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given)
}
