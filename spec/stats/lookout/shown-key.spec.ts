/** How keys look to operators. */
import { expect } from 'chai'
import { SHOWN_KEY_BYTES_MAX } from '../../../lib/limits.ts'
import { keptKey, NO_KEY, shownKey } from '../../../lib/stats/lookout/shown-key.ts'

function inClear(key: Buffer | string): string | null {
  const bytes = Buffer.from(key)
  return shownKey('clear', 1, keptKey(bytes, 0, bytes.length))
}

describe('shownKey', () => {
  it('is the hash, with all its digits', () => {
    expect(shownKey('hashed', 0xabc, undefined)).to.equal('hash:0x00000abc')
    expect(shownKey('hashed', 0xffffffff, 'secret')).to.equal('hash:0xffffffff')
  })

  it('is nothing where there is no key or none is to be shown', () => {
    expect(shownKey('hashed', NO_KEY, undefined)).to.equal(null)
    expect(shownKey('clear', NO_KEY, undefined)).to.equal(null)
    expect(shownKey('off', 1, 'key')).to.equal(null)
  })

  it('is the hash in clear as well for a request that came before keys were shown', () => {
    expect(shownKey('clear', 1, undefined)).to.equal('hash:0x00000001')
  })

  it('is text where it is text, and escaped where it is none', () => {
    expect(inClear('user:1')).to.equal('user:1')
    expect(inClear('café 🙂')).to.equal('café 🙂')
    expect(inClear('')).to.equal('')
    expect(inClear(Buffer.of(0x61, 0, 0xff))).to.equal('a\\x00\\xff')
    expect(inClear('\u001b[31mred\r\n')).to.equal('\\x1b[31mred\\x0d\\x0a')
  })

  it('cuts what is long and says so', () => {
    const key = 'k'.repeat(SHOWN_KEY_BYTES_MAX)
    expect(inClear(key)).to.equal(key)
    expect(inClear(`${key}123`)).to.equal(`${key}... (3 more bytes)`)
  })
})
