/** Aligned text. */
import { expect } from 'chai'
import { columns } from '../../lib/cli/columns.ts'

describe('columns', () => {
  it('makes each column as wide as its widest cell, without trailing spaces', () => {
    expect(columns([['a', 'bb', ''], ['ccc', 'd', 'e'], ['f']])).to.equal(
      'a    bb\nccc  d   e\nf\n',
    )
  })

  it('aligns the given columns to the right', () => {
    expect(
      columns(
        [
          ['name', 'n'],
          ['a', '100'],
        ],
        [1],
      ),
    ).to.equal('name    n\na     100\n')
  })

  it('makes nothing of no rows', () => expect(columns([])).to.equal(''))
})
