import { expect } from 'chai'
import { confirmation, Message, messageKind, messageTopic } from '../../lib/resp/pubsub.ts'
import { encodeRequest } from '../support/frames.ts'

describe('pub/sub frames', () => {
  it('knows each kind of message and its topic, whatever bytes the topic has', () => {
    for (const topic of ['c', '', 'a\r\n$1', '\xff\0', 'n'.repeat(100_000)]) {
      for (const [kind, ...words] of [
        ['channel', 'message', topic, 'text'],
        ['pattern', 'pmessage', topic, 'channel', 'text'],
        ['shardChannel', 'smessage', topic, 'text'],
      ] as const) {
        const bytes = Buffer.concat([Buffer.from('*1\r\n'), encodeRequest(...words)])
        expect(messageKind(bytes, 4)).to.equal(kind)
        expect(messageTopic(bytes, 4, kind)).to.equal(topic)
      }
    }
  })

  it('takes no reply for a message', () => {
    const words = ['', 'p', 's'].flatMap((p) => [`${p}subscribe`, `${p}unsubscribe`])
    const replies = [
      ...words.map((word) => confirmation(word, Buffer.from('message'), 3, 2)),
      ...words.map((word) => confirmation(word, null, 0, 2)),
      Buffer.from('*2\r\n$4\r\npong\r\n$0\r\n\r\n'),
      Buffer.from('+PONG\r\n'),
      Buffer.from('-ERR *3 $7 message\r\n'),
    ]
    for (const reply of replies) expect(messageKind(reply, 0), String(reply)).to.equal(undefined)
  })

  it('differs between the protocols in the first byte and the null', () => {
    expect(String(confirmation('unsubscribe', null, 0, 2))).to.equal(
      '*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n',
    )
    expect(String(confirmation('unsubscribe', null, 0, 3))).to.equal(
      '>3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n',
    )
  })

  it('makes a message once for each protocol, and keeps it when the read buffer changes', () => {
    const buffer = encodeRequest('message', 'c', 'text')
    const before = String(buffer)
    const message = new Message(buffer)
    buffer.fill(0)
    expect(String(message.frame(2))).to.equal(before)
    expect(String(message.frame(3))).to.equal(`>${before.slice(1)}`)
    expect(message.frame(2)).to.equal(message.frame(2))
    expect(message.frame(3)).to.equal(message.frame(3))
  })
})
