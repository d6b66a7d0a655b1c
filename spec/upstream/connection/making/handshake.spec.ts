import { expect } from 'chai'
import {
  change,
  type HandshakeOptions,
  handshake,
  rejection,
} from '../../../../lib/upstream/connection/making/handshake.ts'
import { endOfFrame, latin1 } from '../../../support/frames.ts'
import { decodeFrames } from '../../../support/redis-parser.ts'

const PLAIN: HandshakeOptions = {
  protocol: 2,
  database: 0,
  username: undefined,
  password: undefined,
  clientId: false,
  redirect: false,
}

function requests(options: Partial<HandshakeOptions>): string[] {
  const { request, replies } = handshake({ ...PLAIN, ...options })
  const steps = decodeFrames(request).map((args) => (args as Buffer[]).join(' '))
  expect(replies).to.equal(steps.length)
  expect(endOfFrame(request, 0)).to.be.at.most(request.length)
  return steps
}

describe('handshake', () => {
  it('is a PING when there is nothing else to say', () => {
    expect(requests({})).to.deep.equal(['PING'])
  })

  it('says who we are in RESP2', () => {
    expect(requests({ password: 'secret' })).to.deep.equal(['AUTH secret', 'PING'])
    const alice = { username: 'alice', password: 'secret' }
    expect(requests(alice)).to.deep.equal(['AUTH alice secret', 'PING'])
  })

  it('says it within HELLO in RESP3, which may be refused before', () => {
    expect(requests({ protocol: 3 })).to.deep.equal(['HELLO 3', 'PING'])
    const stranger = { protocol: 3, password: 'secret' } as const
    expect(requests(stranger)).to.deep.equal(['HELLO 3 AUTH default secret', 'PING'])
    const alice = { ...stranger, username: 'alice' }
    expect(requests(alice)).to.deep.equal(['HELLO 3 AUTH alice secret', 'PING'])
  })

  it('selects a database and asks for the number of the connection after that', () => {
    expect(requests({ database: 5, clientId: true, password: 'p' })).to.deep.equal([
      'AUTH p',
      'SELECT 5',
      'CLIENT ID',
      'PING',
    ])
    expect(requests({ protocol: 3, database: 1 })).to.deep.equal(['HELLO 3', 'SELECT 1', 'PING'])
  })

  it('says that it understands where a server sends it, which may be refused as well', () => {
    const both = { ...PLAIN, database: 5, clientId: true, redirect: true }
    expect(requests(both)).to.deep.equal(['SELECT 5', 'CLIENT CAPA redirect', 'CLIENT ID', 'PING'])
    expect(handshake(both)).to.include({ redirectAt: 1, clientIdAt: 2 })
    expect(handshake(PLAIN).redirectAt).to.equal(-1)
  })

  it('says which reply tells the number, for it may be refused', () => {
    expect(handshake({ ...PLAIN, clientId: true }).clientIdAt).to.equal(0)
    expect(handshake({ ...PLAIN, database: 5, clientId: true }).clientIdAt).to.equal(1)
    expect(handshake(PLAIN).clientIdAt).to.equal(-1)
  })

  it('sends credentials as UTF-8, and never breaks its frames by them', () => {
    const [auth] = requests({ username: 'jürgen', password: 'a b\r\n*1\r\n€' })
    expect(auth).to.equal('AUTH jürgen a b\r\n*1\r\n€')
  })
})

describe('rejection', () => {
  it('has nothing against what a shard says that takes us', () => {
    for (const reply of ['+OK\r\n', ':12\r\n', '%1\r\n+server\r\n+redis\r\n', '*0\r\n']) {
      expect(rejection(latin1(reply), false), reply).to.equal(undefined)
    }
    expect(rejection(latin1('+PONG\r\n'), true)).to.equal(undefined)
  })

  it('gives the reason in the words of the shard', () => {
    for (const reason of [
      'WRONGPASS invalid username-password pair or user is disabled.',
      'NOAUTH Authentication required.',
      'ERR max number of clients reached',
      'NOPROTO unsupported protocol version',
      'ERR DB index is out of range',
    ]) {
      expect(rejection(latin1(`-${reason}\r\n`), false)).to.equal(reason)
      expect(rejection(latin1(`-${reason}\r\n`), true)).to.equal(reason)
    }
  })

  it('lets a shard work that answers PING with a state it is in, but not before', () => {
    for (const state of ['LOADING', 'BUSY', 'MASTERDOWN', 'MISCONF', 'NOPERM']) {
      const reply = latin1(`-${state} some more words\r\n`)
      expect(rejection(reply, true), state).to.equal(undefined)
      expect(rejection(reply, false), state).to.equal(`${state} some more words`)
    }
    expect(rejection(latin1('-BUSYKEY x\r\n'), true)).to.equal('BUSYKEY x')
    expect(rejection(latin1("-ERR unknown command 'PING'\r\n"), true)).to.equal(undefined)
  })

  it('takes nothing but PONG for the answer to PING', () => {
    for (const reply of ['+OK\r\n', '$4\r\nPONG\r\n', '+PONGX\r\n', ':1\r\n']) {
      expect(rejection(latin1(reply), true), reply).to.equal('unexpected reply to PING')
    }
  })

  it('keeps the reason short and on one line', () => {
    const reason = rejection(latin1(`-ERR \0\x1b[31m${'x'.repeat(1000)}\r\n`), false) ?? ''
    expect(reason).to.have.length(128)
    expect(reason.slice(0, 12)).to.equal('ERR   [31mxx')
  })
})

describe('change', () => {
  const plain = { protocol: 2, database: undefined, credentials: undefined } as const
  const alice = { username: 'alice', password: 'pässword' }

  it('is nothing where nothing differs', () => {
    expect(change(plain, { ...plain })).to.deep.equal([])
  })

  it('logs in first, as somebody who may do the rest', () => {
    const to = { protocol: 3, database: 7, credentials: alice } as const
    const password = Buffer.from('pässword').toString('latin1')
    const expected = [
      ['AUTH', 'alice', password],
      ['HELLO', '3'],
      ['SELECT', '7'],
    ]
    expect(change(plain, to)).to.deep.equal(expected)
  })

  it('goes back, and names no user who has none', () => {
    const from = { protocol: 3, database: 1, credentials: alice } as const
    const to = { ...from, database: 0, credentials: { username: undefined, password: 'pw' } }
    expect(change(from, to)).to.deep.equal([
      ['AUTH', 'pw'],
      ['SELECT', '0'],
    ])
    expect(change(from, { ...from, protocol: 2 })).to.deep.equal([['HELLO', '2']])
  })
})
