import { expect } from 'chai'
import { NO_TEXT, PrefixTree } from '../../../lib/nearcache/memory/prefix-tree.ts'
import { createRandom } from '../../support/random.ts'

function longest(texts: readonly (string | Buffer)[], key: string | Buffer): number {
  const tree = new PrefixTree(texts.map((text) => Buffer.from(text)))
  const bytes = Buffer.concat([Buffer.from('--'), Buffer.from(key), Buffer.from('--')])
  return tree.longest(bytes, 2, bytes.length - 2)
}

describe('PrefixTree', () => {
  it('finds the longest text with which a key begins', () => {
    const texts = ['page:', 'page:home:', 'config:']
    const keys = [
      'page:1',
      'page:home:1',
      'page:',
      'page:home',
      'page',
      'config:x',
      'pageconfig:',
      '',
    ]
    expect(keys.map((key) => longest(texts, key))).to.deep.equal([
      ...[0, 1, 0, 0, NO_TEXT, 2, NO_TEXT, NO_TEXT],
    ])
  })

  it('finds an empty text for every key, and does not look beyond the end of one', () => {
    expect(['', 'x', 'page:1'].map((key) => longest(['page:', ''], key))).to.deep.equal([1, 1, 0])
    expect(longest(['a--'], 'a')).to.equal(NO_TEXT)
    expect(longest([], 'a')).to.equal(NO_TEXT)
  })

  it('knows all 256 bytes', () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte, 255 - byte))
    for (const [at, text] of bytes.entries()) expect(longest(bytes, text)).to.equal(at)
  })

  it('finds what a comparison with each text finds', () => {
    const random = createRandom(7)
    const anyText = (): string => {
      return Array.from({ length: random.integer(0, 5) }, () => random.pick(['a', 'b', 'c'])).join(
        '',
      )
    }
    for (let round = 0; round < 500; round++) {
      const texts = [...new Set(Array.from({ length: random.integer(1, 8) }, anyText))]
      const key = anyText()
      const fitting = texts.filter((text) => key.startsWith(text))
      const expected = fitting.sort((a, b) => b.length - a.length)[0]
      expect(longest(texts, key)).to.equal(
        expected === undefined ? NO_TEXT : texts.indexOf(expected),
      )
    }
  })
})
