import { expect } from 'chai'
import {
  arrayHeader,
  bulkFrame,
  Double,
  encodeValue,
  integerFrame,
  nullFrame,
  requestFrame,
  SimpleString,
  type Value,
  VerbatimText,
} from '../../lib/resp/encode.ts'
import { decodeRequest, endOfFrame } from '../support/frames.ts'
import { decodeFrames } from '../support/redis-parser.ts'

function encode(value: Value, protocol: 2 | 3): string {
  const frame = encodeValue(value, protocol)
  expect(endOfFrame(frame, 0)).to.equal(frame.length)
  return frame.toString('latin1')
}

describe('encodeValue', () => {
  const cases: readonly [string, Value, string, string][] = [
    ['text, as UTF-8', 'é', '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
    ['bytes', Buffer.from([0, 255]), '$2\r\n\0\xff\r\n', '$2\r\n\0\xff\r\n'],
    ['a number', -5, ':-5\r\n', ':-5\r\n'],
    ['64 bits', 9223372036854775807n, ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    ['true', true, ':1\r\n', '#t\r\n'],
    ['false', false, ':0\r\n', '#f\r\n'],
    ['null', null, '$-1\r\n', '_\r\n'],
    ['a simple string', new SimpleString('RESET'), '+RESET\r\n', '+RESET\r\n'],
    ['a text for people', new VerbatimText(Buffer.from('hi')), '$2\r\nhi\r\n', '=6\r\ntxt:hi\r\n'],
    ['a double', new Double('1.5'), '$3\r\n1.5\r\n', ',1.5\r\n'],
    ['an empty array', [], '*0\r\n', '*0\r\n'],
    [
      'an array',
      [1, [true], null],
      '*3\r\n:1\r\n*1\r\n:1\r\n$-1\r\n',
      '*3\r\n:1\r\n*1\r\n#t\r\n_\r\n',
    ],
    ['a set', new Set(['a']), '*1\r\n$1\r\na\r\n', '~1\r\n$1\r\na\r\n'],
    [
      'a map',
      new Map<string | bigint, Value>([
        ['a', 1],
        [2n, []],
      ]),
      '*4\r\n$1\r\na\r\n:1\r\n:2\r\n*0\r\n',
      '%2\r\n$1\r\na\r\n:1\r\n:2\r\n*0\r\n',
    ],
  ]

  for (const [name, value, resp2, resp3] of cases) {
    it(`writes ${name} in both protocols`, () => {
      expect(encode(value, 2)).to.equal(resp2)
      expect(encode(value, 3)).to.equal(resp3)
      expect(decodeFrames(Buffer.from(resp2, 'latin1'))).to.have.length(1)
    })
  }
})

describe('frames', () => {
  it('make the header of an array of any length', () => {
    for (const length of [0, 1, 1023, 1024, 1_000_000]) {
      expect(arrayHeader(length).toString()).to.equal(`*${length}\r\n`)
    }
  })

  it('make bulk strings, integers and nulls', () => {
    expect(bulkFrame(Buffer.alloc(0)).toString()).to.equal('$0\r\n\r\n')
    expect(bulkFrame(Buffer.from('a\r\nb')).toString()).to.equal('$4\r\na\r\nb\r\n')
    expect(integerFrame(0).toString()).to.equal(':0\r\n')
    expect([nullFrame(2), nullFrame(3)].map(String)).to.deep.equal(['$-1\r\n', '_\r\n'])
  })

  it('make requests that can be read again', () => {
    const args = ['SET', Buffer.from([0, 13, 10, 255]), '', '\xe9']
    const bytes = args.map((arg) => (typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg))
    expect(decodeRequest(requestFrame(args))).to.deep.equal(bytes)
    expect(decodeFrames(requestFrame(args))).to.deep.equal([bytes])
  })
})
