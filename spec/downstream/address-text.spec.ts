import { expect } from 'chai'
import { addressText } from '../../lib/downstream/address-text.ts'

describe('addressText', () => {
  it('writes addresses as Redis does', () => {
    expect(addressText('10.0.0.1', 6379)).to.equal('10.0.0.1:6379')
    expect(addressText('::1', 6379)).to.equal('[::1]:6379')
    expect(addressText(undefined, undefined)).to.equal('')
  })
})
