import { expect } from 'chai'
import { slotOf } from '../../../lib/routing/placement/slot.ts'
import { createRandom, specSeed } from '../../support/random.ts'

function slot(key: string): number {
  const bytes = Buffer.from(`<${key}>`, 'latin1')
  return slotOf(bytes, 1, bytes.length - 1)
}

describe('routing/placement/slot', () => {
  it('is that of CLUSTER KEYSLOT', () => {
    // Asked of Redis 7.0.15.
    const slots = {
      '': 0,
      a: 15495,
      foo: 12182,
      '123456789': 12739,
      'user:1000': 1649,
      '\xff\0': 1023,
    }
    for (const [key, expected] of Object.entries(slots)) expect(slot(key), key).to.equal(expected)
  })

  it('is the remainder that a division bit by bit leaves, whatever the length (random)', () => {
    const random = createRandom(specSeed())
    for (let length = 0; length < 300; length++) {
      // A byte that opens no tag.
      const key = random.bytes(length).map((byte) => (byte === 0x7b ? 0 : byte))
      let crc = 0
      for (const byte of key) {
        crc ^= byte << 8
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
        crc &= 0xffff
      }
      expect(slotOf(key, 0, length), `length ${length}`).to.equal(crc & 0x3fff)
    }
  })

  it('is that of the hash tag, from the first { to the next }', () => {
    expect(slot('{user1000}.following')).to.equal(slot('user1000'))
    expect(slot('foo{{bar}}zap')).to.equal(slot('{bar'))
    expect(slot('foo{bar}{zap}')).to.equal(slot('bar'))
  })

  it('is that of the whole key where a tag is empty or does not end', () => {
    expect(slot('foo{}{bar}')).to.equal(8363)
    expect(slot('{user1000')).to.not.equal(slot('user1000'))
    expect(slot('}user{')).to.not.equal(slot('user'))
  })
})
