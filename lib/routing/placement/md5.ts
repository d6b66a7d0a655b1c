/**
 * MD5 (RFC 1321) in plain JavaScript: ketama's points and the key hash `md5` are made of it.
 *
 * Not node:crypto, for two reasons. A key is short, and for short inputs the call into OpenSSL
 * costs more than the arithmetic (bench/micro/routing.ts shows both). And an OpenSSL in FIPS mode
 * has no MD5 at all, which must not keep a proxy from starting: nothing here is a secret.
 */

/** RFC 1321 section 3.4: floor(2^32 * |sin(i + 1)|), written out because Math.sin is not exact by contract. */
// biome-ignore format: sixteen steps a round, four to the line, as the RFC lists them.
const SINES = new Int32Array([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
  0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
  0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,

  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
  0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
  0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,

  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
  0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
  0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,

  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
  0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
  0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
])

/** How far each step rotates: four amounts a round, taken in turn. */
const ROTATIONS = new Uint8Array([7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21])

const BLOCK_BYTES = 64
/** The padding of the last block: at least one byte 0x80 and the length in bits, 8 bytes. */
const PADDING_BYTES_MIN = 9

/** One block as little-endian words; reused by every call, which is safe because none of them yields. */
const block = new Int32Array(BLOCK_BYTES / 4)

/**
 * Writes the MD5 of `bytes[start, end)` into `digest`: four words, each the little-endian reading
 * of four digest bytes, as signed 32-bit integers. Allocates nothing.
 */
export function md5(bytes: Uint8Array, start: number, end: number, digest: Int32Array): void {
  digest[0] = 0x67452301
  digest[1] = 0xefcdab89
  digest[2] = 0x98badcfe
  digest[3] = 0x10325476

  let at = start
  for (; end - at >= BLOCK_BYTES; at += BLOCK_BYTES) {
    load(bytes, at, at + BLOCK_BYTES)
    mix(digest)
  }

  block.fill(0)
  load(bytes, at, end)
  const tailBytes = end - at
  orByte(tailBytes, 0x80)
  if (tailBytes > BLOCK_BYTES - PADDING_BYTES_MIN) {
    mix(digest)
    block.fill(0)
  }
  const lengthBytes = end - start
  block[14] = lengthBytes << 3
  block[15] = lengthBytes >>> 29
  mix(digest)
}

/** Fills the block from its start with `bytes[from, to)`; a last word cut short is padded with zeros. */
function load(bytes: Uint8Array, from: number, to: number): void {
  const wholeEnd = from + ((to - from) & ~3)
  let word = 0
  for (let at = from; at < wholeEnd; at += 4) {
    block[word++] =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
  }
  for (let at = wholeEnd; at < to; at++) orByte(at - from, bytes[at] as number)
}

/** Sets byte `index` of the block, which must still be zero there. */
function orByte(index: number, byte: number): void {
  block[index >> 2] = (block[index >> 2] as number) | (byte << ((index & 3) << 3))
}

/** One block through the four rounds of RFC 1321 section 3.4. */
function mix(digest: Int32Array): void {
  let a = digest[0] as number
  let b = digest[1] as number
  let c = digest[2] as number
  let d = digest[3] as number

  for (let step = 0; step < 64; step++) {
    let mixed: number
    let word: number
    if (step < 16) {
      mixed = (b & c) | (~b & d)
      word = step
    } else if (step < 32) {
      mixed = (d & b) | (~d & c)
      word = (5 * step + 1) & 15
    } else if (step < 48) {
      mixed = b ^ c ^ d
      word = (3 * step + 5) & 15
    } else {
      mixed = c ^ (b | ~d)
      word = (7 * step) & 15
    }
    const sum = (a + mixed + (SINES[step] as number) + (block[word] as number)) | 0
    const rotation = ROTATIONS[((step >> 4) << 2) | (step & 3)] as number
    a = d
    d = c
    c = b
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0
  }

  digest[0] = (digest[0] as number) + a
  digest[1] = (digest[1] as number) + b
  digest[2] = (digest[2] as number) + c
  digest[3] = (digest[3] as number) + d
}
