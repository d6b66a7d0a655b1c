import { expect } from 'chai'
import { FrameBuilder } from '../../../lib/pool/cluster/frame-builder.ts'

describe('FrameBuilder', () => {
  function text({ bytes, frameStart, frameEnd }: FrameBuilder): string {
    return bytes.toString('latin1', frameStart, frameEnd)
  }

  it('joins pieces, and begins again', () => {
    const builder = new FrameBuilder()
    builder.begin()
    builder.append(Buffer.from('..abc..'), 2, 5)
    builder.append(Buffer.from('def'), 0, 3)
    expect(text(builder)).to.equal('abcdef')
    builder.begin()
    builder.append(Buffer.from('x'), 0, 1)
    expect(text(builder)).to.equal('x')
  })

  it('grows with its frame, and lets a large buffer go', () => {
    const builder = new FrameBuilder()
    const large = Buffer.alloc(3 * 1024 * 1024, 'a')
    builder.begin()
    builder.append(Buffer.from('<'), 0, 1)
    builder.append(large, 0, large.length)
    expect(text(builder)).to.equal(`<${large}`)
    builder.begin()
    expect(builder.bytes.length).to.be.lessThan(large.length)
  })
})
