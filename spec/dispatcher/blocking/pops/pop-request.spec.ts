import { expect } from 'chai'
import {
  type PopRequest,
  parsePop,
  popsFromSeveral,
} from '../../../../lib/dispatcher/blocking/pops/pop-request.ts'
import { requestOf } from '../../../support/requests.ts'

const KEY = Buffer.from('k')

function parsed(line: string, keyCount: number): PopRequest | Buffer {
  const words = line.split(' ')
  return parsePop((words[0] as string).toLowerCase(), requestOf(...words), keyCount)
}

function pop(line: string, keyCount: number): PopRequest {
  return parsed(line, keyCount) as PopRequest
}

describe('popsFromSeveral', () => {
  it('is about pops alone, and about no name that every object has', () => {
    expect(['blpop', 'bzmpop'].every(popsFromSeveral)).to.equal(true)
    expect(['blmove', 'xread', 'constructor', '__proto__'].some(popsFromSeveral)).to.equal(false)
  })
})

describe('parsePop', () => {
  const FORMS: readonly (readonly [line: string, keys: number, frame: string, heading: string])[] =
    [
      ['BLPOP a b 0', 2, 'LPOP k', '*2\r\n$1\r\nk\r\n'],
      ['BRPOP a b 0', 2, 'RPOP k', '*2\r\n$1\r\nk\r\n'],
      ['BZPOPMIN a b 0', 2, 'ZPOPMIN k', '*3\r\n$1\r\nk\r\n'],
      ['BZPOPMAX a b 0', 2, 'ZPOPMAX k', '*3\r\n$1\r\nk\r\n'],
      ['BLMPOP 0 2 a b left COUNT 3', 2, 'LMPOP 1 k left COUNT 3', ''],
      ['BZMPOP 0 1 a MAX', 1, 'ZMPOP 1 k MAX', ''],
    ]

  for (const [line, keys, frame, heading] of FORMS) {
    it(`${line} pops by ${frame}`, () => {
      const form = pop(line, keys)
      const words = frame.split(' ')
      const { bytes, frameStart, frameEnd } = requestOf(...words)
      expect(String(form.frameFor(KEY))).to.equal(String(bytes.subarray(frameStart, frameEnd)))
      expect(String(form.heading(KEY).bytes)).to.equal(heading)
    })
  }

  it('counts seconds in milliseconds, upwards, and 0 is for ever', () => {
    const timeoutOf = (text: string): number => pop(`BLPOP a b ${text}`, 2).timeoutMs
    expect(['1', '0.5', '1e-3', '0.0001', '+2.', '.25'].map(timeoutOf)).to.deep.equal([
      1000, 500, 1, 1, 2000, 250,
    ])
    expect(['0', '-0', '0.0', '-0.0001'].map(timeoutOf)).to.deep.equal(
      Array(4).fill(Number.POSITIVE_INFINITY),
    )
  })

  it('refuses what no server can wait for', () => {
    const refusals = ['', ' 1', '1 ', '1s', 'nan', '1e400', 'inf', '9223372036854776', '-1', '-inf']
    const errors = refusals.map((text) => {
      const words = ['BLPOP', 'a', 'b', text]
      return String(parsePop('blpop', requestOf(...words), 2)).trim()
    })
    const [notFloat, range, negative] = [
      '-ERR timeout is not a float or out of range',
      '-ERR timeout is out of range',
      '-ERR timeout is negative',
    ]
    expect(errors).to.deep.equal([
      ...Array(5).fill(notFloat),
      ...Array(3).fill(range),
      ...Array(2).fill(negative),
    ])
  })
})
