/**
 * HyperLogLogs as Redis stores them in strings: merging their registers and estimating the number
 * of elements, with the arithmetic of Redis's hyperloglog.c, so that the estimate is the same
 * integer. The layout is described at the top of that file.
 */
import { errorFrame } from '../../errors.ts'

const REGISTERS = 16_384
const REGISTER_BITS = 6
const REGISTER_MAX = 63
/** Bits of the hash that are counted. A register holds at most one more. */
const Q = 50
const HEADER_BYTES = 16
const DENSE_BYTES = HEADER_BYTES + (REGISTERS * REGISTER_BITS) / 8
const DENSE = 0
const SPARSE = 1
/** 1 / (2 ln 2) */
const ALPHA_INFINITY = 0.7213475204444817

/** What C's llroundl makes of a number beyond 64 bits, on the machines that Redis runs on. */
const OVERFLOWN = -(2n ** 63n)

const INVALID = errorFrame('WRONGTYPE Key is not a valid HyperLogLog string value.')
const CORRUPTED = errorFrame('INVALIDOBJ Corrupted HLL object detected')

export class HyperLogLog {
  readonly #registers = new Uint8Array(REGISTERS)

  /** Adds what the string counts. Returns Redis's error frame when it is no HyperLogLog. */
  merge(value: Buffer): Buffer | undefined {
    const encoding = value[4] as number
    if (value.length < HEADER_BYTES || value.toString('latin1', 0, 4) !== 'HYLL') return INVALID
    if (encoding === DENSE) {
      if (value.length !== DENSE_BYTES) return INVALID
      this.#mergeDense(value)
      return undefined
    }
    if (encoding !== SPARSE) return INVALID
    return this.#mergeSparse(value) ? undefined : CORRUPTED
  }

  /** Registers of 6 bits, the first in the lowest bits of the first byte. */
  #mergeDense(value: Buffer): void {
    for (let i = 0; i < REGISTERS; i++) {
      const bit = i * REGISTER_BITS
      const byte = HEADER_BYTES + (bit >> 3)
      // The last register ends with its byte; what would be read behind it is shifted out.
      const pair = (value[byte] as number) | ((value[byte + 1] ?? 0) << 8)
      this.#raise(i, (pair >> (bit & 7)) & REGISTER_MAX)
    }
  }

  /**
   * Runs of equal registers: `00llllll` l+1 zeros, `01llllll llllllll` the same with 14 bits,
   * `1vvvvvll` l+1 registers of v+1. Returns false unless they make up all registers exactly.
   */
  #mergeSparse(value: Buffer): boolean {
    let register = 0
    for (let at = HEADER_BYTES; at < value.length && register <= REGISTERS; at++) {
      const code = value[at] as number
      if (code >= 0x80) {
        const end = register + (code & 3) + 1
        if (end > REGISTERS) return false
        while (register < end) this.#raise(register++, ((code >> 2) & 0x1f) + 1)
      } else if (code >= 0x40) {
        at++
        register += (((code & 0x3f) << 8) | (value[at] ?? 0)) + 1
      } else {
        register += code + 1
      }
    }
    return register === REGISTERS
  }

  #raise(register: number, value: number): void {
    if (value > (this.#registers[register] as number)) this.#registers[register] = value
  }

  /**
   * Estimates how many elements were added: Otmar Ertl, "New cardinality estimation algorithms for
   * HyperLogLog sketches", arXiv:1702.01284.
   */
  count(): bigint {
    const histogram = new Uint32Array(REGISTER_MAX + 1)
    for (const value of this.#registers) histogram[value] = (histogram[value] as number) + 1
    let z = REGISTERS * tau((REGISTERS - (histogram[Q + 1] as number)) / REGISTERS)
    for (let value = Q; value >= 1; value--) z = 0.5 * (z + (histogram[value] as number))
    z += REGISTERS * sigma((histogram[0] as number) / REGISTERS)
    const estimate = Math.round((ALPHA_INFINITY * REGISTERS * REGISTERS) / z)
    // No elements can make registers that high, but a forged string can.
    return estimate < 2 ** 63 ? BigInt(estimate) : OVERFLOWN
  }
}

function sigma(fraction: number): number {
  if (fraction === 1) return Number.POSITIVE_INFINITY
  let x = fraction
  let y = 1
  let z = x
  let before: number
  do {
    x *= x
    before = z
    z += x * y
    y += y
  } while (before !== z)
  return z
}

function tau(fraction: number): number {
  if (fraction === 0 || fraction === 1) return 0
  let x = fraction
  let y = 1
  let z = 1 - x
  let before: number
  do {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) * (1 - x) * y
  } while (before !== z)
  return z / 3
}
