import { expect } from 'chai'
import { patternHash, patternOf, prefixOf } from '../../../lib/stats/preflight/key-pattern.ts'

describe('patternOf', () => {
  for (const [key, pattern] of [
    ['user:17', 'user:<n>'],
    ['cart:17:items:3', 'cart:<n>:items:<n>'],
    ['{user:17}:a', '{user:<n>}:a'],
    ['session:6f1ed002-ab5a-4b2c-9d6f-0123456789ab', 'session:<uuid>'],
    ['file:d41d8cd98f00b204e9800998ecf8427e', 'file:<hash>'],
    ['internationalization:de', 'internationalization:de'],
    ['v2', 'v<n>'],
    ['', ''],
  ] as const) {
    it(`makes ${JSON.stringify(pattern)} of ${JSON.stringify(key)}`, () => {
      expect(patternOf(key)).to.equal(pattern)
    })
  }
})

describe('prefixOf', () => {
  it('is what stands before the first variable', () => {
    expect(prefixOf('cart:<n>:items')).to.equal('cart:')
    expect(prefixOf('<n>')).to.equal('')
    expect(prefixOf('celery')).to.equal('celery')
  })
})

describe('patternHash', () => {
  it('is FNV-1a', () => {
    expect(patternHash('')).to.equal(0x811c9dc5)
    expect(patternHash('a')).to.equal(0xe40c292c)
  })
})
