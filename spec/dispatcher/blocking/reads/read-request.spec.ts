import { expect } from 'chai'
import {
  fromLast,
  parseBlockingRead,
  readLast,
  readNow,
  type Streams,
} from '../../../../lib/dispatcher/blocking/reads/read-request.ts'

/** Two streams at the places 7 and 8, or at those given. */
function streamsOf(text: string, places: readonly number[] = [7, 8]): Streams {
  const args = text.split(' ')
  return { args, firstKey: args.indexOf('STREAMS') + 1, places, protocol: 2 }
}

describe('parseBlockingRead', () => {
  const parsed = (text: string): string => {
    const { timeoutMs, streams } = parseBlockingRead(streamsOf(text))
    expect(streams.args[streams.firstKey]).to.equal('a')
    return `${timeoutMs} ${streams.args.join(' ')}`
  }

  it('takes the time out of the options, wherever it stands', () => {
    expect(parsed('XREAD BLOCK 5 STREAMS a b 0 0')).to.equal('5 XREAD STREAMS a b 0 0')
    expect(parsed('XREAD block 0 COUNT 2 STREAMS a b 0 0')).to.equal(
      'Infinity XREAD COUNT 2 STREAMS a b 0 0',
    )
    expect(parsed('XREAD COUNT 2 BLOCK 7 STREAMS a b 0 0')).to.equal(
      '7 XREAD COUNT 2 STREAMS a b 0 0',
    )
    expect(parsed('XREAD BLOCK 7 BLOCK 8 STREAMS a b 0 0')).to.equal('8 XREAD STREAMS a b 0 0')
  })

  it('leaves a time that Redis does not take to Redis', () => {
    for (const time of ['x', '-1', '05', '+5', '1.5', '9223372036854775807', '']) {
      const text = `XREAD BLOCK ${time} STREAMS a b 0 0`
      expect(parsed(text)).to.equal(`Infinity ${text}`)
    }
    expect(parsed('XREAD BLOCK STREAMS a b 0 0')).to.equal('Infinity XREAD BLOCK STREAMS a b 0 0')
    expect(parsed('XREAD COUNT BLOCK STREAMS a b 0 0')).to.equal(
      'Infinity XREAD COUNT BLOCK STREAMS a b 0 0',
    )
  })
})

describe('fromLast', () => {
  const streams = streamsOf('XREAD STREAMS a b c $ 5-1 $', [7, 8, 7])
  const reads = readLast(streams)

  it('asks only for ends that are needed, each once', () => {
    expect(reads.map(({ place, args }) => `${place} ${args.join(' ')}`)).to.deep.equal([
      '7 XREVRANGE a + - COUNT 1',
      '7 XREVRANGE c + - COUNT 1',
    ])
    expect(readLast(streamsOf('XREAD STREAMS a a $ $', [7, 7]))).to.have.length(1)
    expect(readLast(streamsOf('XREAD STREAMS $ b 1 2'))).to.deep.equal([])
    expect(readLast(streamsOf('XREAD STREAMS a b $'))).to.deep.equal([])
  })

  it('puts ids in place of $', () => {
    const entry = '*1\r\n*2\r\n$4\r\n12-3\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n'
    const known = fromLast(streams, reads, [Buffer.from(entry), Buffer.from('*0\r\n')])
    expect(known.args.join(' ')).to.equal('XREAD STREAMS a b c 12-3 5-1 0-0')
  })

  it('keeps the $ of a stream that cannot be asked, for the read to be refused', () => {
    const known = fromLast(streams, reads, [Buffer.from('-WRONGTYPE x\r\n'), Buffer.from('*0\r\n')])
    expect(known.args.join(' ')).to.equal('XREAD STREAMS a b c $ 5-1 0-0')
  })
})

describe('readNow', () => {
  it('asks each place for its streams, and one place for what Redis does not understand', () => {
    const textsOf = (text: string): string[] =>
      readNow(streamsOf(text)).reads.map(({ place, args }) => `${place} ${args.join(' ')}`)
    expect(textsOf('XREAD COUNT 1 STREAMS a b 1 2')).to.deep.equal([
      '7 XREAD COUNT 1 STREAMS a 1',
      '8 XREAD COUNT 1 STREAMS b 2',
    ])
    expect(textsOf('XREAD STREAMS a b 1')).to.deep.equal(['7 XREAD STREAMS a b 1'])
  })
})
