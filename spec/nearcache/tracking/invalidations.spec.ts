import { expect } from 'chai'
import { readAnnouncement } from '../../../lib/nearcache/tracking/invalidations.ts'
import { ReplyCutter } from '../../../lib/upstream/connection/reply-cutter.ts'

/** What is understood of a push that comes in these pieces, and the keys in it. */
function read(...pieces: readonly string[]): [string, ...string[]] {
  const keys: string[] = []
  let announcement = 'none'
  const cutter = new ReplyCutter(
    () => true,
    (bytes, start, end) => {
      const changed = (of: Buffer, from: number, to: number) => {
        keys.push(of.toString('latin1', from, to))
      }
      announcement = readAnnouncement(bytes, start, end, { changed })
      return true
    },
  )
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    cutter.take(bytes, bytes.length)
  }
  return [announcement, ...keys]
}

function push(content: string): string {
  return `>2\r\n$10\r\ninvalidate\r\n${content}`
}

describe('readAnnouncement', () => {
  it('tells of the keys', () => {
    expect(read(push('*1\r\n$1\r\nk\r\n'))).to.deep.equal(['keys', 'k'])
    expect(read(push('*0\r\n'))).to.deep.equal(['keys'])
    expect(read(push('*2\r\n$0\r\n\r\n$6\r\na\r\n$1\x00\r\n'))).to.deep.equal([
      'keys',
      '',
      'a\r\n$1\x00',
    ])
  })

  it('understands the nulls of both protocols', () => {
    for (const nothing of ['_\r\n', '$-1\r\n', '*-1\r\n']) {
      expect(read(push(nothing))).to.deep.equal(['all'])
    }
  })

  it('reads the same however it is cut', () => {
    const text = push('*2\r\n$4\r\na\r\nb\r\n$3\r\nkey\r\n')
    for (let at = 1; at < text.length; at++) {
      expect(read(text.slice(0, at), text.slice(at))).to.deep.equal(['keys', 'a\r\nb', 'key'])
    }
  })

  it('reads ten thousand keys', () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `$5\r\n${10_000 + i}\r\n`)
    expect(read(push(`*10000\r\n${keys.join('')}`))).to.have.length(10_001)
  })

  it('believes nothing that it does not understand', () => {
    expect(read(push('*1\r\n:5\r\n'))[0]).to.equal('broken')
    expect(read(push('$1\r\nk\r\n'))[0]).to.equal('broken')
    expect(read(push(':5\r\n'))[0]).to.equal('broken')
    expect(read('>2\r\n$21\r\ntracking-redir-broken\r\n:7\r\n')[0]).to.equal('broken')
  })

  it('leaves other pushes alone', () => {
    expect(read('>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n')).to.deep.equal(['other'])
    expect(read('>1\r\n+x\r\n')).to.deep.equal(['other'])
  })
})
