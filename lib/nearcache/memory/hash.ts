/** The numbers by which entries and flights are found: 32 bits, from a seed that no client can know. */
import { randomInt } from 'node:crypto'

const SEED = randomInt(0xffffffff) | 0
const PRIME = 0x01000193

/** FNV-1a over `bytes[start, end)`; `from` goes on with an earlier number. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, from = SEED): number {
  let hash = from
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  return hash
}

/** Mixes one more number into a hash: each bit of both affects all bits of the result. */
export function mix(hash: number, number: number): number {
  let mixed = Math.imul(hash ^ number, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
