/** Ways to cut a byte stream as TCP may cut it: parse(any chunking) must equal parse(the whole). */
import type { Random } from './random.ts'

export interface Chunking {
  /** For the test's title or message: `whole`, `byte by byte`, `cut at 7`. */
  readonly name: string
  readonly chunks: readonly Buffer[]
}

/** The whole, byte by byte, and every single cut. */
export function* everyChunking(bytes: Buffer): Generator<Chunking> {
  yield { name: 'whole', chunks: [bytes] }
  yield { name: 'byte by byte', chunks: cut(bytes, range(1, bytes.length)) }
  for (const at of range(1, bytes.length)) yield { name: `cut at ${at}`, chunks: cut(bytes, [at]) }
}

/** Every pair of cuts: n * n / 2 chunkings, so for frames of up to some 200 bytes. */
export function* everyPairOfCuts(bytes: Buffer): Generator<Chunking> {
  for (const first of range(1, bytes.length)) {
    for (const second of range(first + 1, bytes.length)) {
      yield { name: `cut at ${first} and ${second}`, chunks: cut(bytes, [first, second]) }
    }
  }
}

/** Up to `cutsMax` cuts at random places. */
export function randomChunking(bytes: Buffer, random: Random, cutsMax: number): Chunking {
  const places = new Set<number>()
  const cuts = bytes.length < 2 ? 0 : random.integer(0, cutsMax + 1)
  for (let i = 0; i < cuts; i += 1) places.add(random.integer(1, bytes.length))
  const sorted = [...places].sort((a, b) => a - b)
  return { name: `seed ${random.seed}, cut at ${sorted.join(', ')}`, chunks: cut(bytes, sorted) }
}

/** Cuts `bytes` before each of the ascending offsets `places`. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places, bytes.length]
  // Copies: a parser that wrongly reads beyond its chunk must not find the right bytes there.
  return ends.map((end, i) => Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1], end)))
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
}
