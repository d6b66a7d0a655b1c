import { expect } from 'chai'
import { parseInteger } from '../../lib/resp/bytes.ts'

function parse(text: string): number | undefined {
  const bytes = Buffer.from(`9${text}9`)
  return parseInteger(bytes, 1, bytes.length - 1)
}

describe('parseInteger', () => {
  it('reads what Redis itself would write', () => {
    const numbers = [0, 1, 9, 10, 42, 1024, 536_870_912, 999_999_999_999_999]
    for (const n of [...numbers, ...numbers.slice(1).map((n) => -n)]) {
      expect(parse(String(n)), String(n)).to.equal(n)
    }
  })

  it('refuses every other way to write a number', () => {
    const bad = [
      '',
      '-',
      '+1',
      '00',
      '01',
      '-0',
      '-01',
      ' 1',
      '1 ',
      '1.0',
      '1e3',
      '0x1',
      '--1',
      '1-',
    ]
    for (const text of [...bad, 'a', '/', ':', '1:', '/1', '\0', '1\r']) {
      expect(parse(text), JSON.stringify(text)).to.equal(undefined)
    }
  })

  it('refuses more digits than are exact', () => {
    expect(parse('1'.repeat(15))).to.equal(111_111_111_111_111)
    expect(parse('1'.repeat(16))).to.equal(undefined)
    expect(parse(`-${'1'.repeat(16)}`)).to.equal(undefined)
    expect(parse('18446744073709551617')).to.equal(undefined)
  })
})
