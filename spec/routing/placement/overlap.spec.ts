/** What two rings give to each pair of owners, against counting hash by hash. */
import { expect } from 'chai'
import { hashMax } from '../../../lib/routing/placement/key-hash.ts'
import { overlap, type Side } from '../../../lib/routing/placement/overlap.ts'
import { Placement, type PlacementOptions } from '../../../lib/routing/placement/placement.ts'
import type { RingLayout } from '../../../lib/routing/placement/ring.ts'
import { createRandom, type Random, specSeed } from '../../support/random.ts'

const OWNERS = 4

/** Hash by hash, up to and with `last`. */
function counted(first: Side, second: Side, last: number): number[][] {
  const counts = Array.from({ length: first.owners }, () =>
    new Array<number>(second.owners).fill(0),
  )
  for (let hash = 0; hash <= last; hash++) {
    const row = counts[owner(first.layout, hash)] as number[]
    const at = owner(second.layout, hash)
    row[at] = (row[at] as number) + 1 / (last + 1)
  }
  return counts
}

function owner(layout: RingLayout, hash: number): number {
  if (layout.kind === 'random') return Number.NaN
  const place = layout.kind === 'slots' ? hash % layout.count : hash
  return layout.owners[layout.ends.findIndex((end) => end >= place)] as number
}

function ascending(random: Random, count: number, below: number, last: number): Uint32Array {
  const ends = Array.from({ length: count - 1 }, () => random.integer(0, below))
  return Uint32Array.from([...ends, last]).sort()
}

function arcs(random: Random, last: number): Side {
  const ends = ascending(random, 12, last, last)
  const owners = Array.from(ends, () => random.integer(0, OWNERS))
  return { layout: { kind: 'arcs', ends, owners }, owners: OWNERS }
}

function slots(random: Random): Side {
  const count = random.integer(OWNERS, 60)
  const middle = new Set(Array.from({ length: OWNERS - 1 }, () => random.integer(0, count - 1)))
  const ends = Uint32Array.from([...middle, count - 1]).sort()
  const owners = Array.from(ends, (_, at) => at)
  return { layout: { kind: 'slots', ends, owners, count }, owners: OWNERS }
}

function expectAlike(got: number[][], wanted: number[][], seed: number): void {
  for (const [i, row] of wanted.entries()) {
    for (const [j, share] of row.entries()) {
      expect(got[i]?.[j], `seed ${seed}, from ${i} to ${j}`).to.be.closeTo(share, 1e-9)
    }
  }
}

describe('overlap', () => {
  it('counts arcs against arcs', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 50; round++) {
      const [first, second] = [arcs(random, 999), arcs(random, 999)]
      expectAlike(overlap(first, second, 999), counted(first, second, 999), random.seed)
    }
  })

  it('leaves out what the hash function does not reach', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 20; round++) {
      const [first, second] = [arcs(random, 999), arcs(random, 999)]
      expectAlike(overlap(first, second, 99), counted(first, second, 99), random.seed)
    }
  })

  it('counts arcs against slots, either way round', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 30; round++) {
      const [first, second] = [arcs(random, 999), slots(random)]
      expectAlike(overlap(first, second, 999), counted(first, second, 999), random.seed)
      expectAlike(overlap(second, first, 999), counted(second, first, 999), random.seed)
    }
  })

  it('counts slots against slots over all pairs of remainders', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 50; round++) {
      const [first, second] = [slots(random), slots(random)]
      const product = [first, second].reduce((all, { layout }) => {
        return layout.kind === 'slots' ? all * layout.count : all
      }, 1)
      const wanted = counted(first, second, product - 1)
      expectAlike(overlap(first, second, 0xffffffff), wanted, random.seed)
    }
  })

  it('takes two draws for independent', () => {
    const random: Side = { layout: { kind: 'random' }, owners: 4 }
    const half = { kind: 'arcs', ends: Uint32Array.of(49, 99), owners: [0, 1] } as const
    const shares = overlap({ layout: half, owners: 2 }, random, 99)
    expect(shares).to.deep.equal([new Array(4).fill(0.125), new Array(4).fill(0.125)])
  })

  /** Real rings against keys: within six standard errors of a share of a half. */
  const KEYS = 40_000
  const TOLERANCE = 6 * Math.sqrt(0.25 / KEYS)

  const POOLS: readonly (readonly [string, number[], number[], Partial<PlacementOptions>])[] = [
    ['ketama, a shard more', [1, 1, 1], [1, 1, 1, 1], {}],
    ['ketama, other weights', [1, 2, 3], [3, 2, 1], { hash: 'murmur' }],
    ['ketama, one shard left', [1, 1, 1, 1], [1], { hash: 'md5' }],
    ['modula, a shard more', [1, 1, 1], [1, 1, 1, 1], { distribution: 'modula' }],
    ['modula, weights', [5, 3], [4, 4, 2], { distribution: 'modula', hash: 'crc32' }],
  ]
  for (const [name, before, after, options] of POOLS) {
    it(`agrees with keys that are placed: ${name}`, () => {
      const [first, second] = [before, after].map((weights) => placement(weights, options))
      expectKeysAgree(first as Placement, second as Placement, options.hash ?? 'fnv1a_64')
    })
  }

  it('agrees with keys that are placed: from modula to ketama', () => {
    const first = placement([1, 2, 1], { distribution: 'modula' })
    expectKeysAgree(first, placement([1, 2, 1], {}), 'fnv1a_64')
  })

  function placement(weights: number[], options: Partial<PlacementOptions>): Placement {
    const servers = weights.map((weight, index) => ({ name: `shard-${index}`, weight }))
    const usual = { hash: 'fnv1a_64', distribution: 'ketama', hashTag: '', byteSign: 'signed' }
    return new Placement({ ...usual, servers, ...options } as PlacementOptions)
  }

  function expectKeysAgree(
    first: Placement,
    second: Placement,
    hash: PlacementOptions['hash'],
  ): void {
    const [a, b] = [first, second].map((each) => ({
      layout: each.layout(),
      owners: each.placeCount,
    })) as [Side, Side]
    const shares = overlap(a, b, hashMax(hash))
    const total = shares.flat().reduce((sum, share) => sum + share, 0)
    expect(total).to.be.closeTo(1, 1e-9)
    const counts = shares.map((row) => row.map(() => 0))
    const random = createRandom(specSeed())
    for (let i = 0; i < KEYS; i++) {
      const key = Buffer.from(`user:${random.integer(0, 2 ** 32)}:${i}`)
      const row = counts[first.shardOf(key, 0, key.length)] as number[]
      const at = second.shardOf(key, 0, key.length)
      row[at] = (row[at] as number) + 1
    }
    for (const [i, row] of shares.entries()) {
      for (const [j, share] of row.entries()) {
        const seen = (counts[i]?.[j] ?? 0) / KEYS
        expect(seen, `seed ${random.seed}, ${i} to ${j}`).to.be.closeTo(share, TOLERANCE)
      }
    }
  }
})
