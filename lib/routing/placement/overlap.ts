/**
 * How much of the hash space two rings give to each pair of owners: what moves when one ring
 * replaces the other. The result is counted, not sampled. Both rings must use the same hash
 * function.
 */
import assert from 'node:assert/strict'
import type { RingLayout } from './ring.ts'

type Arcs = Extract<RingLayout, { kind: 'arcs' }>
type Slots = Extract<RingLayout, { kind: 'slots' }>

export interface Side {
  readonly layout: RingLayout
  /** How many owners there are. */
  readonly owners: number
}

/**
 * `shares[i][j]`: the part of all hashes, 0 to 1, that the first ring gives to `i` and the second
 * to `j`. `hashMax`: the largest hash that the function makes; hashes up to it are equally likely.
 */
export function overlap(first: Side, second: Side, hashMax: number): number[][] {
  const shares = Array.from({ length: first.owners }, () => zeros(second.owners))
  const add = (i: number, j: number, share: number): void => {
    const row = shares[i]
    assert(row !== undefined)
    row[j] = (row[j] ?? 0) + share
  }
  const [a, b] = [first.layout, second.layout]
  if (a.kind === 'random' || b.kind === 'random') drawn(first, second, hashMax, add)
  else if (a.kind === 'arcs' && b.kind === 'arcs') arcsOnArcs(a, b, hashMax, add)
  else if (a.kind === 'slots' && b.kind === 'slots') slotsOnSlots(a, b, add)
  else if (a.kind === 'arcs' && b.kind === 'slots') arcsOnSlots(a, b, hashMax, add)
  else if (a.kind === 'slots' && b.kind === 'arcs') {
    arcsOnSlots(b, a, hashMax, (j, i, share) => add(i, j, share))
  }
  return shares
}

type Add = (first: number, second: number, share: number) => void

/** Where each request draws its owner, the two sides are independent. */
function drawn(first: Side, second: Side, hashMax: number, add: Add): void {
  const shares = [first, second].map((side) => sharesOf(side, hashMax)) as [number[], number[]]
  for (const [i, a] of shares[0].entries()) {
    for (const [j, b] of shares[1].entries()) add(i, j, a * b)
  }
}

function sharesOf({ layout, owners }: Side, hashMax: number): number[] {
  if (layout.kind === 'random') return zeros(owners).map(() => 1 / owners)
  const shares = zeros(owners)
  const count = layout.kind === 'slots' ? layout.count : hashMax + 1
  for (const { start, end, owner } of partsOf(layout, count - 1)) {
    shares[owner] = (shares[owner] ?? 0) + (end - start + 1) / count
  }
  return shares
}

/** Walks the ends of both rings in order; between two ends the owners stay the same. */
function arcsOnArcs(a: Arcs, b: Arcs, hashMax: number, add: Add): void {
  let [i, j, start] = [0, 0, 0]
  while (start <= hashMax) {
    const [endA, endB] = [a.ends[i] ?? hashMax, b.ends[j] ?? hashMax]
    const end = Math.min(endA, endB, hashMax)
    add(a.owners[i] ?? 0, b.owners[j] ?? 0, (end - start + 1) / (hashMax + 1))
    if (endA === end) i++
    if (endB === end) j++
    start = end + 1
  }
}

function arcsOnSlots(a: Arcs, b: Slots, hashMax: number, add: Add): void {
  const slots = partsOf(b, b.count - 1)
  for (const arc of partsOf(a, hashMax)) {
    for (const slot of slots) {
      const below = remaindersBelow(arc.start, slot, b.count)
      const hashes = remaindersBelow(arc.end + 1, slot, b.count) - below
      add(arc.owner, slot.owner, hashes / (hashMax + 1))
    }
  }
}

/** How many of the numbers below `limit` leave a remainder in the part. */
function remaindersBelow(limit: number, { start, end }: Part, count: number): number {
  const length = end - start + 1
  const rest = (limit % count) - start
  return Math.floor(limit / count) * length + Math.min(Math.max(rest, 0), length)
}

/**
 * By the Chinese remainder theorem a hash may leave the remainders r and s exactly if these are
 * equal modulo the greatest common divisor of the two counts, and all such pairs are equally likely.
 */
function slotsOnSlots(a: Slots, b: Slots, add: Add): void {
  const common = greatestCommonDivisor(a.count, b.count)
  const pairs = (a.count / common) * b.count
  const others = partsOf(b, b.count - 1)
  for (const part of partsOf(a, a.count - 1)) {
    for (const other of others) {
      add(part.owner, other.owner, congruentPairs(part, other, common) / pairs)
    }
  }
}

/** How many pairs of r in one part and s in the other are equal modulo `divisor`. */
function congruentPairs(one: Part, other: Part, divisor: number): number {
  const [a, b] = [one, other].map(({ start, end }) => {
    const length = end - start + 1
    return { rounds: Math.floor(length / divisor), start: start % divisor, rest: length % divisor }
  })
  assert(a !== undefined && b !== undefined)
  const whole = a.rounds * b.rounds * divisor + a.rounds * b.rest + b.rounds * a.rest
  return whole + commonOnCircle(a, b, divisor)
}

interface Arc {
  readonly start: number
  /** Its length. */
  readonly rest: number
}

/** How many numbers two arcs of a circle of `size` share. */
function commonOnCircle(a: Arc, b: Arc, size: number): number {
  let common = 0
  for (const turn of [-size, 0, size]) {
    const start = Math.max(a.start, b.start + turn)
    const end = Math.min(a.start + a.rest, b.start + turn + b.rest)
    common += Math.max(0, end - start)
  }
  return common
}

interface Part {
  readonly start: number
  /** Inclusive. */
  readonly end: number
  readonly owner: number
}

function partsOf({ ends, owners }: Arcs | Slots, last: number): Part[] {
  const parts: Part[] = []
  let start = 0
  for (const [at, end] of ends.entries()) {
    if (start > last) break
    if (end >= start) parts.push({ start, end: Math.min(end, last), owner: owners[at] ?? 0 })
    start = end + 1
  }
  return parts
}

function greatestCommonDivisor(a: number, b: number): number {
  let [larger, smaller] = [a, b]
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller]
  return larger
}

function zeros(length: number): number[] {
  return new Array<number>(length).fill(0)
}
