/** How a mirror is written. */
import { expect } from 'chai'
import type { Raw } from '../../../lib/config/values/formats.ts'
import { mirrorFormat } from '../../../lib/config/values/mirror.ts'

function textOf(raw: Raw): string {
  const parsed = mirrorFormat.parse(raw)
  if ('value' in parsed) return mirrorFormat.text(parsed.value)
  return parsed.problems.map(({ text }) => text).join('; ')
}

describe('mirror', () => {
  const WRITTEN: readonly [Raw, string][] = [
    ['next', 'next/100%'],
    ['next/10%', 'next/10%'],
    ['next/writes', 'next/100%/writes'],
    ['next/0%/writes', 'next/0%/writes'],
    [{ pool: 'next' }, 'next/100%'],
    [{ pool: 'next', percent: '5', writesOnly: 'yes' }, 'next/5%/writes'],
  ]
  for (const [raw, text] of WRITTEN) {
    it(`${JSON.stringify(raw)} is ${text}`, () => expect(textOf(raw)).to.equal(text))
  }

  const PERCENT = 'is not a whole number from 0 to 100'
  const MISTAKES: readonly [Raw, string][] = [
    ['next/101%', `percent "101" ${PERCENT}`],
    ['next/ten%', `percent "ten" ${PERCENT}`],
    [{ pool: 'next', percent: '-1' }, `percent "-1" ${PERCENT}`],
    [{ percent: '1' }, 'names no pool'],
    [
      { pool: 'next', writes: 'yes' },
      'has "writes", which is none of pool, percent and writesOnly',
    ],
    [
      { pool: 'next', writesOnly: 'perhaps' },
      'writesOnly: "perhaps" is not one of true, yes, on, 1, false, no, off, 0',
    ],
    ['next/x', `"next/x" is not ${mirrorFormat.accepts}`],
  ]
  for (const [raw, text] of MISTAKES) {
    it(`${JSON.stringify(raw)} is refused`, () => expect(textOf(raw)).to.equal(text))
  }
})
