/**
 * The cursor of a SCAN over several shards: the shard's own cursor, and in the low bits the shard's
 * number and a mark of the set of shards. It stays a number below 2^64, as clients expect, and small
 * while the shards' cursors are small: these are below the sizes of their hash tables.
 */
import { md5 } from './placement/md5.ts'

const CURSOR_MAX = 2n ** 64n - 1n

/** A cursor of other shards is mistaken for one of these once in 2^16 times. */
const MARK_BITS = 16n

/** The shards that a cursor is about. */
export interface ScannedShards {
  readonly count: number
  /** A number in all cursors of these shards, which tells them from cursors of others. */
  readonly mark: bigint
}

/** `shards`: one text for each, in the order in which they are scanned. */
export function scannedShards(shards: readonly string[]): ScannedShards {
  const bytes = Buffer.from(JSON.stringify(shards))
  const digest = new Int32Array(4)
  md5(bytes, 0, bytes.length, digest)
  const [first = 0] = digest
  return { count: shards.length, mark: BigInt.asUintN(Number(MARK_BITS), BigInt(first)) }
}

export interface ScanPosition {
  readonly shard: number
  /** The shard's own; 0 begins with it. */
  readonly cursor: bigint
}

const START: ScanPosition = { shard: 0, cursor: 0n }

/** Bits that number `shards` shards. */
function shardBits(shards: number): bigint {
  return BigInt(Math.ceil(Math.log2(shards)))
}

/**
 * The number that a cursor's text stands for, or undefined when Redis would call it invalid. Redis
 * reads it with strtoul, up to the first NUL: signs are fine, and nothing at all is 0.
 */
export function parseCursor(text: string): bigint | undefined {
  const [digits = ''] = text.split('\0', 1)
  if (digits === '') return 0n
  if (!/^[+-]?[0-9]+$/.test(digits)) return undefined
  const negative = digits.startsWith('-')
  const size = BigInt(digits.replace(/^[+-]/, ''))
  if (size > CURSOR_MAX) return undefined
  return negative ? BigInt.asUintN(64, -size) : size
}

/** The mark in a cursor that this has made; 0 in none of a round of a SCAN that moves. */
export function markOf(cursor: bigint): bigint {
  return BigInt.asUintN(Number(MARK_BITS), cursor)
}

/**
 * Where to go on with a client's cursor. A cursor of other shards begins anew: keys may come twice, as
 * SCAN allows, and no key is missed.
 */
export function positionOf(cursor: bigint, { count, mark }: ScannedShards): ScanPosition {
  if (markOf(cursor) !== mark) return START
  const bits = shardBits(count)
  const shard = Number(BigInt.asUintN(Number(bits), cursor >> MARK_BITS))
  return shard < count ? { shard, cursor: cursor >> (MARK_BITS + bits) } : START
}

/**
 * The client's cursor after `shard` has answered with its own: on the same shard, at the start of
 * the next one when that shard is done, and 0 after the last. Undefined when it does not fit into
 * 64 bits.
 */
export function cursorAfter(position: ScanPosition, shards: ScannedShards): bigint | undefined {
  const { shard, cursor } = position
  const isDone = cursor === 0n
  if (isDone && shard + 1 === shards.count) return 0n
  const number = BigInt(isDone ? shard + 1 : shard)
  const joined = (((cursor << shardBits(shards.count)) | number) << MARK_BITS) | shards.mark
  return joined <= CURSOR_MAX ? joined : undefined
}
