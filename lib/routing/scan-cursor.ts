/**
 * The cursor of a SCAN over several shards: the shard's own cursor, and in the low bits which shard
 * it is. It stays a number below 2^64, as clients expect, and small as long as the shards' cursors
 * are: theirs are below the number of slots of their hash tables.
 */

const CURSOR_MAX = 2n ** 64n - 1n

export interface ScanPosition {
  readonly shard: number
  /** The shard's own; 0 begins with it. */
  readonly cursor: bigint
}

/** Bits that number `shards` shards; 0 for one shard, whose cursors then pass unchanged. */
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

/** Where a client's cursor says to go on; undefined when there is no such shard (any more). */
export function positionOf(cursor: bigint, shards: number): ScanPosition | undefined {
  const bits = shardBits(shards)
  const shard = Number(BigInt.asUintN(Number(bits), cursor))
  return shard < shards ? { shard, cursor: cursor >> bits } : undefined
}

/**
 * The client's cursor after `shard` has answered with its own: on the same shard, at the start of
 * the next one when that shard is done, and 0 after the last. Undefined when it does not fit into
 * 64 bits.
 */
export function cursorAfter(position: ScanPosition, shards: number): bigint | undefined {
  const { shard, cursor } = position
  if (cursor === 0n) return shard + 1 < shards ? BigInt(shard + 1) : 0n
  const joined = (cursor << shardBits(shards)) | BigInt(shard)
  return joined <= CURSOR_MAX ? joined : undefined
}
