import { expect } from 'chai'
import { ElementReader, integerOf, isError } from '../../lib/resp/reply-reader.ts'
import { bulk, latin1 } from '../support/frames.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { randomReply } from '../support/random-replies.ts'

/** Elements one by one, from a frame that lies in the middle of a larger buffer. */
function elementsOf(frame: Buffer): string[] {
  const shared = Buffer.concat([latin1(':1\r\n'), frame, latin1(':1\r\n')])
  const reader = new ElementReader(shared.subarray(4, 4 + frame.length))
  return Array.from({ length: reader.count }, () => {
    reader.next()
    const { start, end } = reader
    return reader.frame.toString('latin1', start, end)
  })
}

describe('isError', () => {
  it('knows both kinds of errors', () => {
    const replies = [
      '-ERR x\r\n',
      '!5\r\nERR x\r\n',
      '+OK\r\n',
      '$-1\r\n',
      ':-1\r\n',
      '*1\r\n-ERR\r\n',
    ]
    expect(replies.map((reply) => isError(latin1(reply)))).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })
})

describe('integerOf', () => {
  it('is exact to 64 bits', () => {
    for (const text of [
      '0',
      '-1',
      '9007199254740993',
      '9223372036854775807',
      '-9223372036854775808',
    ]) {
      expect(integerOf(latin1(`:${text}\r\n`)), text).to.equal(BigInt(text))
    }
  })

  it('is undefined for everything else', () => {
    for (const reply of ['$1\r\n1\r\n', '+1\r\n', '(1\r\n', ',1\r\n', '*0\r\n', '_\r\n']) {
      expect(integerOf(latin1(reply)), reply).to.equal(undefined)
    }
  })
})

describe('ElementReader', () => {
  it('has no elements to show of what is no array, set or push', () => {
    for (const reply of [
      '*-1\r\n',
      '_\r\n',
      '$1\r\na\r\n',
      '%1\r\n+a\r\n+b\r\n',
      ':2\r\n',
      '-2\r\n',
    ]) {
      expect(new ElementReader(latin1(reply)).count, reply).to.equal(-1)
    }
  })

  it('counts', () => {
    for (const [reply, count] of [
      ['*0\r\n', 0],
      ['~1\r\n:1\r\n', 1],
      ['>1\r\n:1\r\n', 1],
      [`*1000\r\n${':1\r\n'.repeat(1000)}`, 1000],
    ] as const) {
      expect(new ElementReader(latin1(reply)).count, reply.slice(0, 10)).to.equal(count)
    }
  })

  it('walks over elements of every kind and size', () => {
    const elements = [
      ...[0, 1, 9, 10, 99, 100, 101, 1000].map((size) => bulk('x'.repeat(size))),
      ...[
        '$-1\r\n',
        '*-1\r\n',
        '_\r\n',
        ':1\r\n',
        '+\r\n',
        '-E\r\n',
        '*2\r\n$1\r\na\r\n*0\r\n',
      ].map(latin1),
      // What looks like a short string, at the very end, where its CR is not where a string has it.
      ...['%1\r\n+a\r\n$0\r\n\r\n', '|1\r\n+a\r\n+b\r\n:1\r\n', '$-1\r\n'].map(latin1),
    ]
    for (const last of elements) {
      const all = [...elements, last]
      const frame = Buffer.concat([latin1(`*${all.length}\r\n`), ...all])
      const expected = all.map((element) => element.toString('latin1'))
      expect(elementsOf(frame)).to.deep.equal(expected)
      const rest = new ElementReader(frame).rest().map((element) => element.toString('latin1'))
      expect(rest).to.deep.equal(expected)
    }
  })

  it('walks over random elements', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const elements = Array.from({ length: random.integer(0, 8) }, () => randomReply(random, 3))
      const frame = Buffer.concat([latin1(`~${elements.length}\r\n`), ...elements])
      expect(elementsOf(frame), `seed ${random.seed}`).to.deep.equal(
        elements.map((element) => element.toString('latin1')),
      )
    }
  })

  it('gives the rest after those already seen', () => {
    const reader = new ElementReader(latin1('*3\r\n:1\r\n:2\r\n:3\r\n'))
    reader.next()
    expect(reader.rest().map(String)).to.deep.equal([':2\r\n', ':3\r\n'])
    expect(reader.rest()).to.deep.equal([])
  })
})
