import { expect } from 'chai'
import { hasParameter, parameterBytes } from '../../../lib/admin/pages/query.ts'

describe('parameterBytes', () => {
  it('gives back any bytes, UTF-8 or not', () => {
    expect(parameterBytes('key=%00%ff%C3%a9+%2B', 'key')).to.deep.equal(
      Buffer.from([0, 0xff, 0xc3, 0xa9, 0x20, 0x2b]),
    )
  })

  it('leaves a percent sign alone that escapes nothing', () => {
    expect(parameterBytes('key=100%&b=%4', 'key')?.toString()).to.equal('100%')
    expect(parameterBytes('key=%zz', 'key')?.toString()).to.equal('%zz')
  })

  it('takes the first of several, up to the next ampersand, whatever stands in it', () => {
    expect(parameterBytes('a=1&key=b=c&key=d', 'key')?.toString()).to.equal('b=c')
  })

  it('tells an empty value from none', () => {
    expect(parameterBytes('key=', 'key')).to.deep.equal(Buffer.alloc(0))
    expect(parameterBytes('keys=1', 'key')).to.equal(undefined)
    expect(parameterBytes('', 'key')).to.equal(undefined)
  })
})

describe('hasParameter', () => {
  it('sees it with and without a value, and no other', () => {
    expect(hasParameter('verbose', 'verbose')).to.equal(true)
    expect(hasParameter('a=1&verbose=1', 'verbose')).to.equal(true)
    expect(hasParameter('verboser', 'verbose')).to.equal(false)
  })
})
