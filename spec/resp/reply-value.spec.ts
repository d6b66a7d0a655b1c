/** Reply frames read into values, and written again. */
import { expect } from 'chai'
import { Double, encodeValue, VerbatimText } from '../../lib/resp/encode.ts'
import { fieldsOf, readReply } from '../../lib/resp/reply-value.ts'

const read = (text: string) => readReply(Buffer.from(text, 'latin1'))

describe('readReply', () => {
  for (const text of [
    ':9223372036854775807\r\n',
    '$-1\r\n',
    '$5\r\na\r\n\xff\x00\r\n',
    '*2\r\n$1\r\na\r\n*1\r\n:1\r\n',
    '*0\r\n',
  ]) {
    it(`gives back in RESP2 what it read: ${JSON.stringify(text)}`, () => {
      const value = read(text)
      if (value === undefined) throw new Error('not read')
      expect(encodeValue(value, 2).toString('latin1')).to.equal(text)
    })
  }

  for (const text of [
    '_\r\n',
    '#t\r\n',
    '#f\r\n',
    ',1.5\r\n',
    '=6\r\ntxt:ab\r\n',
    '%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n%1\r\n:2\r\n:3\r\n',
    '%0\r\n',
  ]) {
    it(`gives back in RESP3 what it read: ${JSON.stringify(text)}`, () => {
      const value = read(text)
      if (value === undefined) throw new Error('not read')
      expect(encodeValue(value, 3).toString('latin1')).to.equal(text)
    })
  }

  it('reads statuses as strings, sets as arrays and null arrays as null', () => {
    expect(read('+OK\r\n')).to.deep.equal(Buffer.from('OK'))
    expect(read('~1\r\n:1\r\n')).to.deep.equal([1n])
    expect(read('*-1\r\n')).to.equal(null)
  })

  it('does not read errors, pushes and big numbers', () => {
    for (const text of [
      '-ERR no\r\n',
      '>1\r\n:1\r\n',
      '(1\r\n',
      '*1\r\n-ERR no\r\n',
      '%1\r\n-E\r\n:1\r\n',
    ]) {
      expect(read(text), text).to.equal(undefined)
    }
  })

  it('does not follow frames into any depth', () => {
    const nested = (depth: number) => `${'*1\r\n'.repeat(depth)}:1\r\n`
    expect(read(nested(8))).not.to.equal(undefined)
    expect(read(nested(9))).to.equal(undefined)
    expect(read(nested(100_000))).to.equal(undefined)
  })
})

describe('fieldsOf', () => {
  it('gives the same for a RESP3 map and for what RESP2 sends instead', () => {
    const resp2 = fieldsOf(read('*4\r\n$1\r\na\r\n:1\r\n:2\r\n:3\r\n'))
    expect([...(resp2 ?? [])]).to.deep.equal([
      ['a', 1n],
      [2n, 3n],
    ])
    expect(fieldsOf(read('%2\r\n$1\r\na\r\n:1\r\n:2\r\n:3\r\n'))).to.deep.equal(resp2)
  })

  it('gives nothing for an odd number of values, other names, or no aggregate', () => {
    for (const text of ['*1\r\n:1\r\n', '*2\r\n*0\r\n:1\r\n', ':1\r\n']) {
      expect(fieldsOf(read(text)), text).to.equal(undefined)
    }
    expect(fieldsOf(undefined)).to.equal(undefined)
    expect(fieldsOf(read('%1\r\n*0\r\n:1\r\n'))).to.equal(undefined)
  })
})

describe('texts and doubles', () => {
  it('are verbatim strings and doubles in RESP3, bulk strings in RESP2', () => {
    const text = new VerbatimText(Buffer.from('ab'))
    expect(encodeValue(text, 3).toString()).to.equal('=6\r\ntxt:ab\r\n')
    expect(encodeValue(text, 2).toString()).to.equal('$2\r\nab\r\n')
    expect(encodeValue(new Double('0.5'), 3).toString()).to.equal(',0.5\r\n')
    expect(encodeValue(new Double('0.5'), 2).toString()).to.equal('$3\r\n0.5\r\n')
  })
})
