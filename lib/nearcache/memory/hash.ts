/** The numbers by which entries and flights are found: 32 bits, from a seed that no client can know. */
import { randomInt } from 'node:crypto'

const SEED = randomInt(0xffffffff) | 0
const PRIME = 0x01000193

/**
 * FNV-1a over `bytes[start, end)`, two bytes in a step; `from` goes on with an earlier number. More than two would
 * let a client choose keys of one number whatever the seed: what it changes in the highest bit stays there alone.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number, from = SEED): number {
  let hash = from
  let at = start
  for (; at < end - 1; at += 2) {
    const two = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    hash = Math.imul(hash ^ two, PRIME)
  }
  if (at < end) hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  // The last byte has not reached the low bits yet.
  return hash ^ (hash >>> 15)
}

/** Mixes one more number into a hash: each bit of both affects all bits of the result. */
export function mix(hash: number, number: number): number {
  let mixed = Math.imul(hash ^ number, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
