import { expect } from 'chai'
import { isNothing } from '../../../lib/dispatcher/blocking/nothing.ts'

describe('isNothing', () => {
  it('knows every null and the empty array, and no element that begins like one', () => {
    const isOne = (text: string): boolean => isNothing(Buffer.from(`xx${text}`), 2)
    expect(['$-1\r\n', '*-1\r\n', '_\r\n', '*0\r\n'].every(isOne)).to.equal(true)
    expect(['$0\r\n\r\n', '*2\r\n', '*01', '$1\r\n_\r\n', '-ERR', ':0\r\n'].some(isOne)).to.equal(
      false,
    )
  })
})
