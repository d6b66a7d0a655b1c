/** What a request that came cut is kept in. */
import { expect } from 'chai'
import type { LargeBytes } from '../../../lib/resp/request.ts'
import { Carry, LARGE_CARRY_BYTES } from '../../../lib/resp/scan/carry.ts'

class Memory {
  readonly bytesMax = 4 * LARGE_CARRY_BYTES
  readonly taken: number[] = []
  filled = 0
  letGo = 0

  take(bytes: number): LargeBytes {
    this.taken.push(bytes)
    return {
      bytes: Buffer.alloc(bytes),
      fill: (filled) => {
        this.filled = filled
      },
      keep: () => {},
      letGo: () => {
        this.letGo++
      },
    }
  }
}

function append(carry: Carry, text: string, knownBytes = 0): void {
  const chunk = Buffer.from(`..${text}..`)
  carry.append(chunk, 2, text.length, knownBytes)
}

describe('Carry', () => {
  it('holds the pieces of a frame one after the other', () => {
    const carry = new Carry(undefined)
    append(carry, 'abc')
    append(carry, 'de'.repeat(500))
    expect(carry.bytes.toString('latin1', 0, carry.used)).to.equal(`abc${'de'.repeat(500)}`)
  })

  it('uses a small buffer again, and lets a larger one go', () => {
    const carry = new Carry(undefined)
    append(carry, 'abc')
    const { bytes } = carry
    expect(carry.isReused).to.equal(true)
    expect(carry.end()).to.equal(undefined)
    expect(carry.used).to.equal(0)
    expect(carry.bytes).to.equal(bytes)
    append(carry, 'x'.repeat(5000))
    expect(carry.isReused).to.equal(false)
    carry.end()
    expect(carry.bytes.length).to.equal(0)
  })

  it('takes no more than a frame whose end is known will need', () => {
    const carry = new Carry(undefined)
    append(carry, 'x', 400)
    expect(carry.bytes.length).to.equal(256)
    append(carry, 'x'.repeat(299), 400)
    expect(carry.bytes.length).to.equal(400)
  })

  it('takes counted memory for what is large, grows by what has come, and gives each back', () => {
    const memory = new Memory()
    const carry = new Carry(memory)
    append(carry, 'x'.repeat(LARGE_CARRY_BYTES), 100 * LARGE_CARRY_BYTES)
    expect(memory.taken).to.deep.equal([])
    expect(carry.largeBytes).to.equal(0)
    append(carry, 'y', 100 * LARGE_CARRY_BYTES)
    expect(memory.taken).to.deep.equal([8 * (LARGE_CARRY_BYTES + 1)])
    expect(memory.filled).to.equal(LARGE_CARRY_BYTES + 1)
    expect(carry.largeBytes).to.equal(LARGE_CARRY_BYTES + 1)
    carry.end()?.letGo()
    carry.close()
    expect(memory.letGo).to.equal(1)
  })

  it('lets its memory go when nothing more will come', () => {
    const memory = new Memory()
    const carry = new Carry(memory)
    append(carry, 'x'.repeat(LARGE_CARRY_BYTES + 1))
    carry.close()
    expect(memory.letGo).to.equal(1)
    expect(carry.used).to.equal(0)
  })

  it('exceeds memory by what is known of a frame, as soon as enough of it has come', () => {
    const carry = new Carry(new Memory())
    const tooMuch = 4 * LARGE_CARRY_BYTES + 1
    append(carry, 'x')
    expect(carry.exceedsMemory(tooMuch)).to.equal(false)
    append(carry, 'x'.repeat(LARGE_CARRY_BYTES))
    expect(carry.exceedsMemory(tooMuch)).to.equal(true)
    expect(carry.exceedsMemory(tooMuch - 1)).to.equal(false)
    const unbounded = new Carry(undefined)
    append(unbounded, 'x'.repeat(LARGE_CARRY_BYTES + 1))
    expect(unbounded.exceedsMemory(tooMuch)).to.equal(false)
  })
})
