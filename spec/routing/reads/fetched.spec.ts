import { expect } from 'chai'
import { formatDouble } from '../../../lib/resp/double.ts'
import {
  membersFrame,
  scoredFrame,
  scoredMembersOf,
  setFrame,
  stringOf,
  textsOf,
} from '../../../lib/routing/reads/fetched.ts'

const frame = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('frames of sets', () => {
  it('hold any bytes', () => {
    const members = ['', 'a', '\r\n', '$1\r\nx', '\x00\xff']
    for (const protocol of [2, 3] as const) {
      expect(textsOf(setFrame(members, protocol))).to.deep.equal(members)
    }
  })

  it('are arrays in RESP2 and sets in RESP3', () => {
    expect(String(setFrame(['a'], 2))).to.equal('*1\r\n$1\r\na\r\n')
    expect(String(setFrame(['a'], 3))).to.equal('~1\r\n$1\r\na\r\n')
    expect(String(setFrame([], 3))).to.equal('~0\r\n')
  })

  it('are nothing else', () => {
    const others = [
      '$1\r\na\r\n',
      ':1\r\n',
      '*-1\r\n$-1\r\n',
      '_\r\n',
      '*1\r\n:1\r\n',
      '*1\r\n$-1\r\n',
    ]
    for (const other of others) expect(textsOf(frame(other)), other).to.equal(undefined)
  })
})

describe('frames of sorted sets', () => {
  const members = [
    ['a', -0],
    ['', 0.1],
    ['\r\n', Number.POSITIVE_INFINITY],
  ] as const

  it('are flat with bulk strings in RESP2', () => {
    const text =
      '*6\r\n$1\r\na\r\n$2\r\n-0\r\n$0\r\n\r\n$19\r\n0.10000000000000001\r\n$2\r\n\r\n\r\n$3\r\ninf\r\n'
    expect(String(scoredFrame(members, 2, formatDouble))).to.equal(text)
    expect(scoredMembersOf(frame(text))).to.deep.equal(members)
  })

  it('are pairs with doubles in RESP3', () => {
    const pairs = ['$1\r\na\r\n,-0', '$0\r\n\r\n,0.10000000000000001', '$2\r\n\r\n\r\n,inf']
    const text = `*3\r\n${pairs.map((pair) => `*2\r\n${pair}\r\n`).join('')}`
    expect(String(scoredFrame(members, 3, formatDouble))).to.equal(text)
    expect(scoredMembersOf(frame(text))).to.deep.equal(members)
  })

  it('are arrays of the members alone when no scores are asked for', () => {
    expect(String(membersFrame(members))).to.equal('*3\r\n$1\r\na\r\n$0\r\n\r\n$2\r\n\r\n\r\n')
  })

  it('are nothing else', () => {
    const others = ['*1\r\n$1\r\na\r\n', '*2\r\n$1\r\na\r\n$1\r\nb\r\n', ':1\r\n']
    for (const other of others) expect(scoredMembersOf(frame(other)), other).to.equal(undefined)
  })
})

describe('stringOf', () => {
  it('gives the bytes of a string, null for none and undefined for anything else', () => {
    expect(stringOf(frame('$3\r\na\r\n\r\n'))).to.deep.equal(frame('a\r\n'))
    expect(stringOf(frame('$0\r\n\r\n'))).to.deep.equal(frame(''))
    expect(stringOf(frame('$-1\r\n'))).to.equal(null)
    expect(stringOf(frame('_\r\n'))).to.equal(null)
    expect(stringOf(frame(':1\r\n'))).to.equal(undefined)
  })
})
