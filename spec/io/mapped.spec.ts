import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { MAPPED_BYTES, release } from '../../lib/io/mapped.ts'

const MB = 1024 * 1024

function residentBytes(): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

describe('release', () => {
  it('leaves nothing of a buffer, and its views empty', () => {
    const bytes = Buffer.allocUnsafeSlow(1000)
    const view = bytes.subarray(10, 20)
    release(view)
    expect([bytes.length, view.length, bytes.buffer.byteLength]).to.deep.equal([0, 0, 0])
  })

  it('gives the memory back at once, without the garbage collector', () => {
    const before = residentBytes()
    for (let i = 0; i < 20; i++) {
      const bytes = Buffer.allocUnsafeSlow(MAPPED_BYTES)
      bytes.fill(1)
      release(bytes)
      expect(residentBytes() - before).to.be.below(16 * MB)
    }
  })
})
