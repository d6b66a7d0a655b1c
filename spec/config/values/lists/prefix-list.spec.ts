import { expect } from 'chai'
import { prefixList } from '../../../../lib/config/values/lists/prefix-list.ts'

function problemsOf(raw: string | string[]): unknown[] {
  const parsed = prefixList.parse(raw)
  return 'problems' in parsed ? parsed.problems.map(({ at, text }) => [at, text]) : []
}

describe('prefixList', () => {
  it('takes prefixes in a line, or as a list', () => {
    const expected = { value: ['config:', 'page:'] }
    expect(prefixList.parse('config:, page:')).to.deep.equal(expected)
    expect(prefixList.parse(['config:', 'page:'])).to.deep.equal(expected)
    expect(prefixList.parse('*')).to.deep.equal({ value: ['*'] })
    expect(prefixList.text(['config:', 'page:'])).to.equal('config:,page:')
  })

  it('refuses what is empty, and patterns', () => {
    expect(problemsOf('')).to.deep.equal([[[], 'has an empty prefix; * is all keys']])
    expect(problemsOf(['a', ''])).to.deep.equal([[[1], 'has an empty prefix; * is all keys']])
    expect(problemsOf([])).to.deep.equal([[[], 'a list is not a list of prefixes']])
    expect(problemsOf('page:*')).to.deep.equal([
      [[], '"page:*" is no prefix: keys that begin so need no * at its end'],
    ])
  })
})
