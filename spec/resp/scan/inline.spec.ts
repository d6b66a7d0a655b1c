import { expect } from 'chai'
import { requestFrame } from '../../../lib/resp/encode.ts'
import { inlineWords, splitInline, wordsIn } from '../../../lib/resp/scan/inline.ts'

function words(line: string): string[] | undefined {
  return splitInline(Buffer.from(line, 'latin1'))?.map((word) => word.toString('latin1'))
}

describe('splitInline', () => {
  const cases: readonly [string, string[]][] = [
    ['', []],
    [' \t\r\v\f ', []],
    ['PING', ['PING']],
    ['PING\r', ['PING']],
    ['  set  a\tb \r', ['set', 'a', 'b']],
    ['set a ""', ['set', 'a', '']],
    ["set a ''", ['set', 'a', '']],
    ['set "a b" \'c d\'', ['set', 'a b', 'c d']],
    // A quote may open within a word; only its end must be followed by a space.
    ['a"b c" d', ['ab c', 'd']],
    ["a'b c'\td", ['ab c', 'd']],
    ['"a"\vb', ['a', 'b']],
    // Vertical tab and form feed separate words but do not end one, in Redis's own code.
    ['a\vb \vc\f', ['a\vb', 'c\f']],
    ['"it\'s" \'"\'', ["it's", '"']],
    ['"\\n\\r\\t\\b\\a"', ['\n\r\t\b\x07']],
    ['"\\q\\"\\\\"', ['q"\\']],
    ['"\\x41\\xfF\\x00"', ['A\xff\0']],
    ['"\\x4\\xg1\\x"', ['x4xg1x']],
    // Without double quotes nothing but \' is an escape.
    ["'\\n\\'\\\\x'", ["\\n'\\\\x"]],
    ['\\x41\\n', ['\\x41\\n']],
  ]

  for (const [line, expected] of cases) {
    it(`splits ${JSON.stringify(line)}`, () => {
      expect(words(line)).to.deep.equal(expected)
    })
  }

  it('refuses quotes that do not balance', () => {
    for (const line of [
      '"',
      "'",
      'a "b',
      "a 'b",
      '"a"b',
      "'a'b",
      '"a"\'b\'',
      '"\\"',
      '"\\',
      "'\\'",
    ]) {
      expect(words(line), line).to.equal(undefined)
    }
  })
})

describe('inlineWords', () => {
  it('says why a line is no command', () => {
    expect(inlineWords(Buffer.from('GET "a'))).to.equal('unbalanced quotes in request')
    expect(inlineWords(Buffer.from('GET a\0'))).to.equal('NUL byte in inline request')
    expect(inlineWords(Buffer.from('GET a'))).to.deep.equal([Buffer.from('GET'), Buffer.from('a')])
  })
})

describe('wordsIn', () => {
  it('finds the words in the canonical form of their request', () => {
    const words = ['SET', '', 'x'.repeat(100), 'é'].map((word) => Buffer.from(word))
    const frame = requestFrame(words)
    const found = wordsIn(words).map(({ start, end }) => frame.subarray(start, end))
    expect(found.map(String)).to.deep.equal(words.map(String))
  })
})
