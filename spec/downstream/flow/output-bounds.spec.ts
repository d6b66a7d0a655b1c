/** How many bytes of replies may wait for a client. */
import { expect } from 'chai'
import { OutputBounds } from '../../../lib/downstream/flow/output-bounds.ts'
import { CLIENT_OUTPUT_BYTES_MARK, CLIENT_OUTPUT_BYTES_MAX } from '../../../lib/limits.ts'

describe('OutputBounds', () => {
  it('are none for a client that is restrained, until they are as usual again', () => {
    const bounds = new OutputBounds()
    bounds.restrain()
    expect(bounds.isRestrained).to.equal(true)
    expect(bounds.markBytes).to.equal(0)
    expect(bounds.bytesMax).to.equal(CLIENT_OUTPUT_BYTES_MAX)
    bounds.reset()
    expect(bounds.isRestrained).to.equal(false)
    expect(bounds.markBytes).to.equal(CLIENT_OUTPUT_BYTES_MARK)
  })

  it('are raised by what is given, and by three times what waits at most', () => {
    const bounds = new OutputBounds()
    const waiting = CLIENT_OUTPUT_BYTES_MARK
    bounds.raise(waiting, 1000)
    expect(bounds.isRaised).to.equal(true)
    expect(bounds.markBytes).to.equal(waiting + 1000)
    expect(bounds.bytesMax).to.equal(CLIENT_OUTPUT_BYTES_MAX + 1000)
    bounds.raise(waiting, 10 * waiting)
    expect(bounds.markBytes).to.equal(4 * waiting)
    bounds.reset()
    expect(bounds.isRaised).to.equal(false)
    expect(bounds.bytesMax).to.equal(CLIENT_OUTPUT_BYTES_MAX)
  })
})
