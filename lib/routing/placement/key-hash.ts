/**
 * twemproxy's twelve key hash functions, bit for bit: placement is a contract.
 *
 * A hash reads `bytes[start, end)` in place and returns the bits of a uint32 as an int32: the engine
 * keeps each of these without an object, while half of all uint32s would cost one. The quirks below are
 * twemproxy's own (src/hashkit); correcting one would move keys to other shards.
 *
 * Six of the functions pass each byte through C's `char`, which is signed on x86 and unsigned on
 * ARM64 Linux: bytes from 0x80 up, hence all non-ASCII keys, land differently under the two
 * builds. Those six take a widening table that says what a byte becomes. A table, because its
 * loads do not wait for the hash and so cost nothing; shifting by a variable cost a third more.
 */
import { md5 as md5Digest } from './md5.ts'

/** Hashes `bytes[start, end)` to 32 bits: an int32, of which `>>> 0` makes the uint32. */
export type KeyHash = (bytes: Uint8Array, start: number, end: number) => number

/** How bytes from 0x80 up are read: as twemproxy's x86 builds do (signed) or as its ARM builds do. */
export type ByteSign = 'signed' | 'unsigned'

/** For each byte value the int32 that C's `char` becomes in arithmetic. */
type Widening = Int32Array

const WIDENINGS = {
  signed: Int32Array.from({ length: 256 }, (_, byte) => (byte << 24) >> 24),
  unsigned: Int32Array.from({ length: 256 }, (_, byte) => byte),
} as const satisfies Record<ByteSign, Widening>

// FNV's 64-bit variants keep only their low 32 bits, and those depend on no higher bit: the 32-bit
// arithmetic with the low halves of the 64-bit start and prime gives the same value.
const FNV_64_START = 0x84222325
const FNV_64_PRIME = 0x1b3
const FNV_32_START = 0x811c9dc5
const FNV_32_PRIME = 0x01000193

/** As in memcached's clients, of whose CRC-32 only 15 bits are used. */
const CRC32_MAX = 0x7fff

/** By twemproxy's names. Those that do not depend on the sign of bytes ignore the widening. */
const KEY_HASHES = {
  one_at_a_time: oneAtATime,
  md5: () => md5,
  crc16: () => crc16,
  crc32: () => crc32,
  crc32a: () => crc32a,
  fnv1_64: (widening) => fnv1(widening, FNV_64_START, FNV_64_PRIME),
  fnv1a_64: (widening) => fnv1a(widening, FNV_64_START, FNV_64_PRIME),
  fnv1_32: (widening) => fnv1(widening, FNV_32_START, FNV_32_PRIME),
  fnv1a_32: (widening) => fnv1a(widening, FNV_32_START, FNV_32_PRIME),
  hsieh,
  murmur: () => murmur,
  jenkins: () => jenkins,
} as const satisfies Record<string, (widening: Widening) => KeyHash>

export type HashName = keyof typeof KEY_HASHES

/** The hash function of that name, reading bytes with that sign. */
export function keyHash(name: HashName, byteSign: ByteSign): KeyHash {
  return KEY_HASHES[name](WIDENINGS[byteSign])
}

/** The largest value it makes. */
export function hashMax(name: HashName): number {
  return name === 'crc32' ? CRC32_MAX : 0xffffffff
}

function fnv1(widening: Widening, offset: number, prime: number): KeyHash {
  return (bytes, start, end) => {
    let hash = offset | 0
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash, prime) ^ (widening[bytes[at] as number] as number)
    }
    return hash
  }
}

function fnv1a(widening: Widening, offset: number, prime: number): KeyHash {
  return (bytes, start, end) => {
    let hash = offset | 0
    for (let at = start; at < end; at++) {
      hash = Math.imul(hash ^ (widening[bytes[at] as number] as number), prime)
    }
    return hash
  }
}

/** Bob Jenkins's one-at-a-time. */
function oneAtATime(widening: Widening): KeyHash {
  return (bytes, start, end) => {
    let hash = 0
    for (let at = start; at < end; at++) {
      hash = (hash + (widening[bytes[at] as number] as number)) | 0
      hash = (hash + (hash << 10)) | 0
      hash ^= hash >>> 6
    }
    hash = (hash + (hash << 3)) | 0
    hash ^= hash >>> 11
    hash = (hash + (hash << 15)) | 0
    return hash
  }
}

const digest = new Int32Array(4)

/** The first four bytes of the MD5, little-endian. */
function md5(bytes: Uint8Array, start: number, end: number): number {
  md5Digest(bytes, start, end, digest)
  return digest[0] as number
}

const CRC16_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc & 0xffff
})

/**
 * CRC-16/XMODEM in an accumulator of 32 bits that twemproxy never cuts to 16: the low half is the
 * CRC that Redis Cluster knows, the high half is what was shifted out of it.
 */
function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let at = start; at < end; at++) {
    crc = (crc << 8) ^ (CRC16_TABLE[((crc >> 8) ^ (bytes[at] as number)) & 0xff] as number)
  }
  return crc
}

const CRC32_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The true CRC-32, as in zlib. */
function crc32a(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (CRC32_TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number)
  }
  return ~crc
}

/** Fifteen bits out of the CRC-32, as libmemcached takes them. */
function crc32(bytes: Uint8Array, start: number, end: number): number {
  return (crc32a(bytes, start, end) >>> 16) & CRC32_MAX
}

/**
 * Paul Hsieh's SuperFastHash, but starting from 0 instead of the length. Of all bytes only the
 * third one of a tail of three goes through `char`; the others are read unsigned.
 */
function hsieh(widening: Widening): KeyHash {
  return (bytes, start, end) => {
    const tailBytes = (end - start) & 3
    const tail = end - tailBytes
    let hash = 0
    for (let at = start; at < tail; at += 4) {
      hash = (hash + readUint16(bytes, at)) | 0
      hash = (hash << 16) ^ (readUint16(bytes, at + 2) << 11) ^ hash
      hash = (hash + (hash >>> 11)) | 0
    }
    if (tailBytes === 3) {
      hash = (hash + readUint16(bytes, tail)) | 0
      hash ^= hash << 16
      hash ^= (widening[bytes[tail + 2] as number] as number) << 18
      hash = (hash + (hash >>> 11)) | 0
    } else if (tailBytes === 2) {
      hash = (hash + readUint16(bytes, tail)) | 0
      hash ^= hash << 11
      hash = (hash + (hash >>> 17)) | 0
    } else if (tailBytes === 1) {
      hash = (hash + (bytes[tail] as number)) | 0
      hash ^= hash << 10
      hash = (hash + (hash >>> 1)) | 0
    }
    hash ^= hash << 3
    hash = (hash + (hash >>> 5)) | 0
    hash ^= hash << 4
    hash = (hash + (hash >>> 17)) | 0
    hash ^= hash << 25
    hash = (hash + (hash >>> 6)) | 0
    return hash
  }
}

const MURMUR_MULTIPLIER = 0x5bd1e995

/** MurmurHash2 with a seed made from the length. */
function murmur(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  const tail = end - (length & 3)
  let hash = Math.imul(0xdeadbeef, length) ^ length
  for (let at = start; at < tail; at += 4) {
    let word = Math.imul(readWord(bytes, at), MURMUR_MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MURMUR_MULTIPLIER)
    hash = Math.imul(hash, MURMUR_MULTIPLIER) ^ word
  }
  if (tail < end) hash = Math.imul(hash ^ readTail(bytes, tail, end), MURMUR_MULTIPLIER)
  hash = Math.imul(hash ^ (hash >>> 13), MURMUR_MULTIPLIER)
  return hash ^ (hash >>> 15)
}

const JENKINS_SEED = 13

/** Bob Jenkins's lookup3, `hashlittle`. */
function jenkins(bytes: Uint8Array, start: number, end: number): number {
  let a = (0xdeadbeef + (end - start) + JENKINS_SEED) | 0
  let b = a
  let c = a
  if (start === end) return c
  let at = start
  for (; end - at > 12; at += 12) {
    a = (a + readWord(bytes, at)) | 0
    b = (b + readWord(bytes, at + 4)) | 0
    c = (c + readWord(bytes, at + 8)) | 0
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
  }
  a = (a + readTail(bytes, at, end)) | 0
  b = (b + readTail(bytes, at + 4, end)) | 0
  c = (c + readTail(bytes, at + 8, end)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** Two bytes, little-endian. */
function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
}

/** Four bytes, little-endian, as an int32. */
function readWord(bytes: Uint8Array, at: number): number {
  return readUint16(bytes, at) | (readUint16(bytes, at + 2) << 16)
}

/** Like `readWord`, but bytes from `end` on count as 0. */
function readTail(bytes: Uint8Array, at: number, end: number): number {
  if (end - at >= 4) return readWord(bytes, at)
  let word = 0
  for (let index = end - 1; index >= at; index--) word = (word << 8) | (bytes[index] as number)
  return word
}
