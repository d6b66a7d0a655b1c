/** Which of the 16,384 slots of a Redis Cluster a key has: CRC16 of its hash tag, or of all of it. */
import { HashTag } from './hash-tag.ts'

/** The lower bits of the CRC count: there are 16,384 slots. */
const SLOT_BITS = 0x3fff

/** CRC-16/XMODEM, polynomial 0x1021, as the Redis Cluster specification has it. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc
})

/** From the first `{` to the next `}`; with nothing between them the whole key counts. */
const tag = new HashTag('{}')

/** The slot of the key `bytes[start, end)`. Allocates nothing. */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  tag.find(bytes, start, end)
  let crc = 0
  for (let i = tag.start; i < tag.end; i++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[i] as number)] as number)
  }
  return crc & SLOT_BITS
}
