import { expect } from 'chai'
import { regions } from '../../lib/io/region.ts'

const MB = 1024 * 1024

describe('regions', () => {
  let beforeBytes: number

  beforeEach(() => {
    beforeBytes = regions.filledBytes
  })

  afterEach(() => {
    expect(regions.filledBytes, 'bytes of regions that nobody let go').to.equal(beforeBytes)
  })

  const filled = () => regions.filledBytes - beforeBytes

  for (const length of [1000, 3 * MB, 40 * MB]) {
    it(`have ${length} bytes where so many are wanted, of which those count that are written to`, () => {
      const region = regions.take(length)
      expect([region.bytes.length, region.view.byteLength, filled()]).to.deep.equal([
        length,
        length,
        0,
      ])
      region.fill(700)
      region.fill(900)
      expect(filled()).to.equal(900)
      region.letGo()
      expect(region.bytes.length).to.equal(0)
    })
  }

  it('stay until the last lets go who keeps one', () => {
    const region = regions.take(1000)
    region.fill(1000)
    region.keep()
    region.letGo()
    expect([filled(), region.bytes.length]).to.deep.equal([1000, 1000])
    region.letGo()
    expect([filled(), region.bytes.length]).to.deep.equal([0, 0])
  })
})
