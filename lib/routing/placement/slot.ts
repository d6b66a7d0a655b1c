/** Which of the 16,384 slots of a Redis Cluster a key has: CRC16 of its hash tag, or of all of it. */
import { HashTag } from './hash-tag.ts'

/** The lower bits of the CRC count: there are 16,384 slots. */
const SLOT_BITS = 0x3fff

/**
 * CRC-16/XMODEM, polynomial 0x1021, as the Redis Cluster specification has it. `CRC16[n]`: what a byte adds that has n
 * more behind it.
 */
const CRC16: Uint16Array[] = []
for (let behind = 0; behind < 4; behind++) {
  const before = CRC16[behind - 1]
  CRC16.push(Uint16Array.from({ length: 256 }, (_, byte) => shifted(before?.[byte] ?? byte << 8)))
}

/** The remainder after eight more bits, all 0. */
function shifted(remainder: number): number {
  let crc = remainder
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc & 0xffff
}

const [ONE, TWO, THREE, FOUR] = CRC16 as [Uint16Array, Uint16Array, Uint16Array, Uint16Array]

/** From the first `{` to the next `}`; with nothing between them the whole key counts. */
const tag = new HashTag('{}')

/** The slot of the key `bytes[start, end)`. Allocates nothing. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  tag.find(bytes, start, end)
  const { end: tagEnd } = tag
  let crc = 0
  let i = tag.start
  // Four bytes at a time: their tables do not wait for each other.
  for (; i + 4 <= tagEnd; i += 4) {
    crc =
      (FOUR[(crc >> 8) ^ (bytes[i] as number)] as number) ^
      (THREE[(crc & 0xff) ^ (bytes[i + 1] as number)] as number) ^
      (TWO[bytes[i + 2] as number] as number) ^
      (ONE[bytes[i + 3] as number] as number)
  }
  for (; i < tagEnd; i++) {
    crc = ((crc << 8) & 0xffff) ^ (ONE[(crc >> 8) ^ (bytes[i] as number)] as number)
  }
  return crc & SLOT_BITS
}
