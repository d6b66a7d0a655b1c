/** A shard that answers a question about itself with anything at all: it is told so, and nothing else happens. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { Lessons } from '../../lib/commands/learning/lessons.ts'
import { readShardFacts } from '../../lib/control/control.ts'
import { ReplyGate } from '../../lib/control/reply-gate.ts'
import { CONTROL_REPLY_BYTES_MAX, CONTROL_REPLY_DEPTH_MAX } from '../../lib/limits.ts'

/** What the client of such a server is told; its socket is closed in any case. */
async function askShard(answer: (socket: Socket) => void): Promise<string> {
  const closed: Promise<unknown>[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    closed.push(once(socket, 'close'))
    // Of COMMAND and HELLO the first byte is enough.
    socket.once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const options = { username: undefined, password: undefined, timeoutMs: 5000 }
  const never = new AbortController().signal
  const told = await readShardFacts({ host: '127.0.0.1', port }, options, never)
    .then(({ commands }) => new Lessons().of(commands) && String(commands))
    .catch((error: Error) => error.message)
  await Promise.all(closed)
  server.close()
  return told
}

function deep(levels: number): string {
  return `${'*1\r\n'.repeat(levels)}:1\r\n`
}

describe('a shard that is asked about itself', () => {
  // Each of them ended the process, or would have, before there was a gate: mocha reports what nobody catches.
  const EVIL: Readonly<Record<string, string>> = {
    'a push without a text': '>1\r\n_\r\n',
    'a push that is cut': '>1\r\n$9\r\nsubscribe\r\n',
    'a null of RESP3': '_\r\n',
    'a map': '%1\r\n$1\r\na\r\n$1\r\nb\r\n',
    'a huge array': '*4294967296\r\n',
    'a huge string': '$99999999999\r\n',
    'too deep an array': deep(CONTROL_REPLY_DEPTH_MAX + 1),
    'an array as deep as the stack': deep(50_000),
    'no RESP': 'HTTP/1.1 400 Bad Request\r\n',
  }
  for (const [name, bytes] of Object.entries(EVIL)) {
    it(`answers with ${name}, and is told that this is no answer`, async () => {
      expect(await askShard((socket) => socket.write(bytes))).to.match(
        /^Protocol error: |nests too deep$/,
      )
    })
  }

  it('answers more than it was asked, and what it was asked counts', async () => {
    const both = '*0\r\n-ERR unknown command\r\n'
    for (const unasked of ['$-1\r\n', '*-1\r\n', '+OK\r\n', '-MOVED 1 a:1\r\n']) {
      const told = await askShard((socket) => socket.write(`*0\r\n*0\r\n${unasked}${both}`))
      expect(told, unasked).to.match(/^\*0\r\n$|^Protocol error: a reply to nothing/)
    }
  })

  it('answers without an end, of which no more is kept than such an answer may have', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    let sent = 0
    const told = await askShard((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(piece)) sent += piece.length
      }
      socket.on('drain', more)
      socket.write('$500000000\r\n')
      more()
    })
    expect(told).to.equal('Protocol error: the reply is too long')
    // What the kernel's buffers hold besides.
    expect(sent).to.be.below(CONTROL_REPLY_BYTES_MAX + 16 * 1024 * 1024)
  })
})

describe('ReplyGate', () => {
  function gate(owed = 100, messages = false) {
    const passed: string[] = []
    const refusals: string[] = []
    const made = new ReplyGate({
      messages,
      owed: () => owed - passed.length,
      pass: (frame) => passed.push(frame.toString('latin1')),
      refuse: ({ message }) => refusals.push(message),
    })
    return { take: (text: string) => made.take(Buffer.from(text, 'latin1')), passed, refusals }
  }

  it('passes replies whole, however they are cut', () => {
    const nested = `${'*1\r\n'.repeat(CONTROL_REPLY_DEPTH_MAX)}$-1\r\n`
    const replies = [
      '+OK\r\n',
      '-ERR no\r\n',
      ':7\r\n',
      '$4\r\n\r\n*1\r\n',
      '*-1\r\n',
      '*0\r\n',
      nested,
    ]
    const text = replies.join('')
    for (let size = 1; size <= text.length; size++) {
      const { take, passed, refusals } = gate()
      for (let at = 0; at < text.length; at += size) take(text.slice(at, at + size))
      expect([passed, refusals], `${size} bytes at a time`).to.deep.equal([replies, []])
    }
  })

  it('passes nothing any more once it has refused, and refuses once', () => {
    const { take, passed, refusals } = gate(1)
    take('+one\r\n+two\r\n+three\r\n')
    take('+four\r\n')
    expect(passed).to.deep.equal(['+one\r\n'])
    expect(refusals).to.deep.equal(['Protocol error: a reply to nothing'])
  })

  it('passes messages that nobody asked for where they are wanted, and replies of any length besides', () => {
    const message = '*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\ne\r\n$0\r\n\r\n'
    const { take, passed, refusals } = gate(3, true)
    take(`+OK\r\n${message}`)
    expect(passed).to.deep.equal(['+OK\r\n', message])
    take(message)
    take('*4\r\n$8\r\npmessage\r\n$-1\r\n$1\r\ne\r\n$0\r\n\r\n')
    expect(passed).to.have.lengthOf(3)
    expect(refusals).to.deep.equal(['Protocol error: a reply to nothing'])
  })
})
