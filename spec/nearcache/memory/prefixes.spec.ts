import { expect } from 'chai'
import { Prefixes } from '../../../lib/nearcache/memory/prefixes.ts'

function of(prefixes: Prefixes, key: string): string | undefined {
  const bytes = Buffer.from(`--${key}--`)
  return prefixes.of(bytes, 2, bytes.length - 2)?.text
}

describe('Prefixes', () => {
  it('finds the longest that fits', () => {
    const prefixes = new Prefixes(['page:', 'page:home:', 'config:'], 0)
    const keys = ['page:1', 'page:home:1', 'page:', 'page', 'config:x', 'other', '']
    expect(keys.map((key) => of(prefixes, key))).to.deep.equal([
      'page:',
      'page:home:',
      'page:',
      undefined,
      'config:',
      undefined,
      undefined,
    ])
  })

  it('takes * for all keys, and others before it', () => {
    const prefixes = new Prefixes(['*', 'page:'], 0)
    expect(['page:1', 'x', ''].map((key) => of(prefixes, key))).to.deep.equal(['page:', '*', '*'])
  })

  it('leaves one alone for a minute that is filled more than it is hit', () => {
    const prefixes = new Prefixes(['a:', 'b:', 'c:'], 0)
    const [a, b, c] = prefixes.all as [
      (typeof prefixes.all)[0],
      (typeof prefixes.all)[0],
      (typeof prefixes.all)[0],
    ]
    Object.assign(a, { fills: 1000, hits: 999 })
    Object.assign(b, { fills: 1000, hits: 1001 })
    Object.assign(c, { fills: 99, hits: 0 })
    expect(prefixes.judge(59_999)).to.deep.equal([])
    expect(prefixes.judge(60_000)).to.deep.equal([a])
    expect(a.suspendedUntilMs).to.equal(120_000)
    // Judged by what came since.
    expect(prefixes.judge(120_000)).to.deep.equal([])
  })
})
