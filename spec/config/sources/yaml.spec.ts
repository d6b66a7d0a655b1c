/** The door of yaml: scalars stay text, mistakes carry their line. */
import { expect } from 'chai'
import { parseYaml } from '../../../lib/config/sources/yaml.ts'
import { ConfigError } from '../../../lib/errors.ts'

function problems(text: string): readonly string[] {
  try {
    parseYaml(text, 'f.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('parseYaml', () => {
  it('leaves every scalar the text that was written', () => {
    const text = 'a: 1e3\nb: 0x10\nc: 6379.5\nd: no\ne: ~\nf: null\ng: "1"\nh: 2024-01-01\ni: 007\n'
    expect(parseYaml(text, 'f').value).to.deep.equal({
      a: '1e3',
      b: '0x10',
      c: '6379.5',
      d: 'no',
      e: '~',
      f: 'null',
      g: '1',
      h: '2024-01-01',
      i: '007',
    })
  })

  it('reads JSON the same way', () => {
    expect(parseYaml('{"a": 1, "b": [true, "x"]}', 'f').value).to.deep.equal({
      a: '1',
      b: ['true', 'x'],
    })
  })

  it('reads an empty file, and one of comments, as nothing', () => {
    expect(parseYaml('', 'f').value).to.equal(undefined)
    expect(parseYaml('# nothing yet\n', 'f').value).to.equal(undefined)
  })

  it('keeps __proto__ an ordinary key', () => {
    const { value } = parseYaml('__proto__: 5\n', 'f')
    expect(Object.keys(value as object)).to.deep.equal(['__proto__'])
  })

  for (const [text, problem] of [
    ['a: 1\nb: 2\na: 3\n', 'f.yaml:3: Map keys must be unique'],
    ['a: 1\nb: [1\n', /^f\.yaml:3: Flow sequence/],
    ['a: 1\n\tb: 2\n', /^f\.yaml:2: /],
    ['a: "x\n', /^f\.yaml:2: Missing closing "quote/],
    ['a: 1\n---\nb: 2\n', /^f\.yaml:2: Source contains multiple documents/],
    ['a: 1\nb: !!int 5\n', /^f\.yaml:2: Unresolved tag/],
    ['a: *nobody\n', /^f\.yaml: Unresolved alias/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const [first] = problems(text)
      if (typeof problem === 'string') expect(first).to.equal(problem)
      else expect(first).to.match(problem)
    })
  }

  it('refuses an alias bomb', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
    for (let level = 0; level < 8; level++) {
      const [from, to] = ['abcdefghi'[level], 'abcdefghi'[level + 1]]
      bomb.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(',')}]`)
    }
    expect(problems(`${bomb.join('\n')}\n`)).to.deep.equal([
      'f.yaml: Excessive alias count indicates a resource exhaustion attack',
    ])
  })

  it('knows the line of every key and item, or of the nearest above it', () => {
    const { lineOf } = parseYaml('# top\na: 1\nlist:\n  - x\n  -\n    k: v\nm: {p: 1}\n', 'f')
    expect(lineOf(['a'])).to.equal(2)
    expect(lineOf(['list'])).to.equal(3)
    expect(lineOf(['list', 0])).to.equal(4)
    expect(lineOf(['list', 1, 'k'])).to.equal(6)
    expect(lineOf(['m', 'p'])).to.equal(7)
    expect(lineOf(['list', 9])).to.equal(3)
    expect(lineOf(['a', 'deeper', 1])).to.equal(2)
    expect(lineOf(['nowhere'])).to.equal(1)
    expect(lineOf([])).to.equal(1)
  })
})
