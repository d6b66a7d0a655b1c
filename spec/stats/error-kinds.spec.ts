import { expect } from 'chai'
import { isError } from '../../lib/stats/error-kinds.ts'

describe('isError', () => {
  it('knows an error by its first byte', () => {
    expect([0x2d, 0x21].every(isError)).to.equal(true)
    expect([0x2b, 0x24, undefined].some(isError)).to.equal(false)
  })
})
