import { expect } from 'chai'
import { mergeStreams } from '../../../lib/routing/reads/stream-merge.ts'

const STREAMS = [
  { key: 'a', reply: 0 },
  { key: 'b', reply: 1 },
  { key: 'c', reply: 0 },
]
const NONE = { 2: '*-1\r\n', 3: '_\r\n' } as const
const WRONG_TYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'

/** A stream's key and entries, as a pair in RESP2 and as two values of a map in RESP3. */
function stream(key: string, protocol: 2 | 3): string {
  const entries = `*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$5\r\nfield\r\n$1\r\n${key}\r\n`
  return `${protocol === 2 ? '*2\r\n' : ''}$1\r\n${key}\r\n${entries}`
}

function reply(keys: string, protocol: 2 | 3): string {
  const header = protocol === 2 ? '*' : '%'
  return `${header}${keys.length}\r\n${[...keys].map((key) => stream(key, protocol)).join('')}`
}

function merged(replies: readonly string[], protocol: 2 | 3, streams = STREAMS): string {
  const frames = replies.map((text) => Buffer.from(text, 'latin1'))
  return mergeStreams(frames, streams, protocol).toString('latin1')
}

describe('mergeStreams', () => {
  for (const protocol of [2, 3] as const) {
    describe(`RESP${protocol}`, () => {
      it("puts the streams into the client's order", () => {
        const replies = [reply('ac', protocol), reply('b', protocol)]
        expect(merged(replies, protocol)).to.equal(reply('abc', protocol))
      })

      it('leaves out those without entries', () => {
        const none = NONE[protocol]
        expect(merged([none, reply('b', protocol)], protocol)).to.equal(reply('b', protocol))
        expect(merged([reply('c', protocol), none], protocol)).to.equal(reply('c', protocol))
        expect(merged([none, none], protocol)).to.equal(none)
      })

      it('has a stream twice if it was asked for twice', () => {
        const streams = [...STREAMS, { key: 'b', reply: 2 }]
        const replies = ['a', 'b', 'b'].map((keys) => reply(keys, protocol))
        expect(merged(replies, protocol, streams)).to.equal(reply('abb', protocol))
      })
    })
  }

  it('gives the first error before any stream', () => {
    expect(merged([reply('a', 2), WRONG_TYPE, '-ERR other\r\n'], 2)).to.equal(WRONG_TYPE)
  })
})
