import { expect } from 'chai'
import { NO_PREFIX, Prefixes } from '../../lib/routing/prefixes.ts'
import { createRandom, specSeed } from '../support/random.ts'

describe('Prefixes', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1')
  const of = (...texts: string[]) => new Prefixes(texts.map(bytes))
  const longest = (prefixes: Prefixes, key: string) => {
    const framed = bytes(`>${key}<`)
    return prefixes.longestOf(framed, 1, framed.length - 1)
  }

  it('finds the longest that a key begins with', () => {
    const prefixes = of('bull:', 'bull:mail:', 'page:')
    expect(longest(prefixes, 'bull:1')).to.equal(0)
    expect(longest(prefixes, 'bull:mail:1')).to.equal(1)
    expect(longest(prefixes, 'bull:mail')).to.equal(0)
    expect(longest(prefixes, 'bull')).to.equal(NO_PREFIX)
    expect(longest(prefixes, 'page:')).to.equal(2)
    expect(longest(prefixes, '')).to.equal(NO_PREFIX)
    expect(longest(prefixes, 'x')).to.equal(NO_PREFIX)
  })

  it('takes the empty prefix as that of all keys', () => {
    const prefixes = of('', 'a')
    expect(longest(prefixes, '')).to.equal(0)
    expect(longest(prefixes, 'b')).to.equal(0)
    expect(longest(prefixes, 'ab')).to.equal(1)
  })

  it('finds none among none', () => {
    expect(longest(of(), 'a')).to.equal(NO_PREFIX)
  })

  it('refuses one that is there twice', () => {
    expect(() => of('a:', 'b:', 'a:')).to.throw('twice')
    expect(() => of('', '')).to.throw('twice')
  })

  it('does what comparing with each prefix does, for random ones of any bytes', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 200; round++) {
      const word = (max: number) => {
        return Array.from({ length: random.integer(0, max) }, () => {
          return String.fromCharCode(random.pick([0, 0x61, 0x62, 0xff]))
        }).join('')
      }
      const texts = [...new Set(Array.from({ length: random.integer(0, 12) }, () => word(4)))]
      const prefixes = of(...texts)
      for (let i = 0; i < 50; i++) {
        const key = word(6)
        const fitting = texts.filter((text) => key.startsWith(text))
        const best = fitting.sort((one, other) => other.length - one.length)[0]
        const expected = best === undefined ? NO_PREFIX : texts.indexOf(best)
        expect(longest(prefixes, key), `seed ${random.seed}`).to.equal(expected)
      }
    }
  })

  it('knows when the beginning of a key decides', () => {
    const prefixes = of('bull:', 'bull:mail:')
    const decided = (text: string) => prefixes.isDecidedBy(bytes(text), 0, text.length)
    expect(decided('bull:x')).to.equal(true)
    expect(decided('bull:mail:')).to.equal(true)
    expect(decided('page:')).to.equal(true)
    expect(decided('bull:')).to.equal(false)
    expect(decided('bu')).to.equal(false)
    expect(decided('')).to.equal(false)
    expect(of().isDecidedBy(bytes(''), 0, 0)).to.equal(true)
    expect(of('').isDecidedBy(bytes(''), 0, 0)).to.equal(true)
  })
})
