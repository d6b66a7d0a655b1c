import { expect } from 'chai'
import { OVERLOADED } from '../../../lib/failures.ts'
import { Entries, NO_ENTRY } from '../../../lib/nearcache/memory/entries.ts'
import { Passing } from '../../../lib/nearcache/reads/passing.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'

const SOURCE = 3
const KEYS = [11, 12, 13]
const KEPT = ['$3\r\none\r\n', '$-1\r\n', '$5\r\nt\r\nhr\r\n']

/** Three keys are kept; the reply, in these parts, goes past. Which are kept then, and what the client got. */
function afterReply(...parts: string[]) {
  const entries = new Entries(64 * 1024)
  const frames = KEYS.map((key) => Buffer.from(`${key}`))
  for (const [at, key] of KEYS.entries()) {
    const [frame, reply] = [frames[at] as Buffer, Buffer.from(KEPT[at] as string)]
    entries.put(key, key, SOURCE, 1000, frame, reply)
    entries.put(key, key, SOURCE + 1, 1000, frame, Buffer.from('+another source\r\n'))
  }
  let got = ''
  const client: ReplySink = {
    reply: (tag, bytes, start, end, last) => {
      got += `${tag} ${bytes.toString('latin1', start, end)}${last ? '.' : ''}`
    },
    failed: (tag, { kind }) => {
      got += `${tag} ${kind}`
    },
  }
  const passing = new Passing(entries, SOURCE, Int32Array.from(KEYS), client)
  for (const [at, part] of parts.entries()) {
    const bytes = Buffer.from(`$9${part}$9\r\n`)
    passing.reply(7, bytes, 2, bytes.length - 4, at === parts.length - 1)
  }
  if (parts.length === 0) passing.failed(7, OVERLOADED)
  const isKept = (source: number) =>
    KEYS.map((key, at) => {
      const frame = frames[at] as Buffer
      return entries.find(key, source, frame, 0, frame.length) !== NO_ENTRY
    })
  expect(isKept(SOURCE + 1)).to.deep.equal([true, true, true])
  return { kept: isKept(SOURCE), got }
}

describe('Passing', () => {
  it('leaves what the reply agrees with', () => {
    const reply = `*3\r\n${KEPT.join('')}`
    expect(afterReply(reply)).to.deep.equal({ kept: [true, true, true], got: `7 ${reply}.` })
  })

  it('takes away what it contradicts', () => {
    const [one, , three] = KEPT
    expect(afterReply(`*3\r\n$3\r\nnew\r\n$-1\r\n${three}`).kept).to.deep.equal([false, true, true])
    expect(afterReply(`*3\r\n${one}$1\r\n2\r\n$-1\r\n`).kept).to.deep.equal([true, false, false])
    expect(afterReply(`*3\r\n_\r\n$-1\r\n${three}`).kept).to.deep.equal([false, true, true])
  })

  it('takes away all when it comes in parts, is an error, or is not as long', () => {
    const none = [false, false, false]
    expect(afterReply('*3\r\n', KEPT.join('')).kept).to.deep.equal(none)
    expect(afterReply('-NOPERM\r\n').kept).to.deep.equal(none)
    expect(afterReply(`*2\r\n${KEPT[0]}${KEPT[1]}`).kept).to.deep.equal(none)
  })

  it('knows no more than before when there is no reply', () => {
    expect(afterReply()).to.deep.equal({ kept: [true, true, true], got: '7 overloaded' })
  })
})
