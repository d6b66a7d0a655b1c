import { expect } from 'chai'
import { commandLine } from '../../../lib/config/values/command-line.ts'
import type { Raw } from '../../../lib/config/values/formats.ts'

describe('commandLine', () => {
  const good: readonly [Raw, readonly string[]][] = [
    ['token', ['token']],
    ['  token   --user\tapp ', ['token', '--user', 'app']],
    [`sh -c 'echo "$TOKEN"'`, ['sh', '-c', 'echo "$TOKEN"']],
    [`p "a \\"b\\" \\\\ \\n" c\\ d e"f "g''`, ['p', 'a "b" \\ \\n', 'c d', 'ef g']],
    [`p '' ""`, ['p', '', '']],
    [
      ['p', 'a b', ''],
      ['p', 'a b', ''],
    ],
  ]
  for (const [raw, words] of good) {
    it(`takes ${JSON.stringify(raw)}`, () => {
      expect(commandLine.parse(raw)).to.deep.equal({ value: words })
    })
  }

  const bad: readonly [Raw, RegExp][] = [
    ['', /names no program/],
    [`''`, /names no program/],
    [[], /names no program/],
    [`p 'x`, /a quote without its other half/],
    [`p "x\\"`, /a quote without its other half/],
    ['p x\\', /a backslash at its end/],
    [{ p: 'x' }, /a map is not a program/],
    [['p', ['x']], /a list is not a program/],
    ['x '.repeat(257), /more than 256 words/],
    ['p \0', /null byte/],
  ]
  for (const [raw, problem] of bad) {
    it(`refuses ${JSON.stringify(raw).slice(0, 40)}`, () => {
      const parsed = commandLine.parse(raw)
      const text = 'problems' in parsed ? parsed.problems[0]?.text : ''
      expect(text).to.match(problem)
    })
  }
})
