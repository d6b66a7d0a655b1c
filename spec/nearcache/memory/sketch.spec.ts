import { expect } from 'chai'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'
import { Sketch } from '../../../lib/nearcache/memory/sketch.ts'

function numberOf(text: string): number {
  const bytes = Buffer.from(text)
  return hashBytes(bytes, 0, bytes.length)
}

describe('Sketch', () => {
  it('counts what it sees again', () => {
    const sketch = new Sketch(2 ** 18)
    const seen = Array.from({ length: 17 }, () => sketch.see(numberOf('a')))
    expect(seen.slice(0, 4)).to.deep.equal([0, 1, 2, 3])
    expect(seen[16]).to.equal(15)
  })

  it('takes few of those that come once for others', () => {
    const sketch = new Sketch(2 ** 18)
    let mistaken = 0
    for (let i = 0; i < 20_000; i++) if (sketch.see(numberOf(`k${i}`)) > 0) mistaken++
    expect(mistaken).to.be.lessThan(200)
  })

  it('takes few of them for others however many come', () => {
    const sketch = new Sketch(2 ** 18)
    let mistaken = 0
    for (let i = 0; i < 2_000_000; i++) if (sketch.see(numberOf(`k${i}`)) > 0) mistaken++
    expect(mistaken).to.be.lessThan(60_000)
  })

  it('forgets what is long ago', () => {
    const sketch = new Sketch(2 ** 18)
    sketch.see(numberOf('a'))
    for (let i = 0; i < 3_000_000; i++) sketch.see(Math.imul(i, 0x9e3779b1))
    expect(sketch.see(numberOf('a'))).to.be.lessThan(15)
  })
})
