/** What a shard's answers mean before a request goes over a connection. */
import { expect } from 'chai'
import { Greeting } from '../../../../lib/upstream/connection/making/greeting.ts'
import { handshake } from '../../../../lib/upstream/connection/making/handshake.ts'

function begun(wishes: { readonly clientId: boolean; readonly redirect: boolean }): Greeting {
  const greeting = new Greeting()
  greeting.begin(
    handshake({ protocol: 2, database: 0, username: undefined, password: 'secret', ...wishes }),
  )
  return greeting
}

function steps(greeting: Greeting, ...replies: readonly string[]): string[] {
  return replies.map((reply) => {
    const step = greeting.take(Buffer.from(reply), true)
    return 'reason' in step ? `${step.kind}: ${step.reason}` : step.kind
  })
}

const PLAIN = { clientId: false, redirect: false }

describe('Greeting', () => {
  it('is done when every reply has come and PING was answered', () => {
    const greeting = begun(PLAIN)
    expect(steps(greeting, '+OK\r\n', '+PONG\r\n')).to.deep.equal(['more', 'done'])
    expect(greeting.notServing).to.equal(undefined)
  })

  it('keeps the number by which the shard knows the connection', () => {
    const greeting = begun({ clientId: true, redirect: false })
    expect(steps(greeting, '+OK\r\n', ':4711\r\n', '+PONG\r\n')).to.deep.equal([
      ...['more', 'more', 'done'],
    ])
    expect(greeting.shardClientId).to.equal('4711')
  })

  it('goes on without what it only wished for', () => {
    const greeting = begun({ clientId: true, redirect: true })
    const no = '-ERR unknown command\r\n'
    expect(steps(greeting, '+OK\r\n', no, no, '+PONG\r\n')).to.deep.equal([
      ...['more', 'wish refused: ERR unknown command', 'wish refused: ERR unknown command', 'done'],
    ])
  })

  it('ends when its login is refused', () => {
    expect(steps(begun(PLAIN), '-WRONGPASS no\r\n')).to.deep.equal(['refused: WRONGPASS no'])
  })

  it('remembers in which words a shard that takes it refuses everything', () => {
    const greeting = begun(PLAIN)
    expect(steps(greeting, '+OK\r\n', '-LOADING wait\r\n')).to.deep.equal(['more', 'done'])
    expect(greeting.notServing).to.equal('LOADING wait')
  })

  it('is turned away by a shard that speaks first', () => {
    const greeting = new Greeting()
    expect(steps(greeting, '-ERR max number of clients reached\r\n')).to.deep.equal([
      'turned away: ERR max number of clients reached',
    ])
    expect(steps(greeting, '+hello\r\n')).to.deep.equal([
      'turned away: unexpected data before the handshake',
    ])
  })

  it('takes no reply in parts', () => {
    expect(begun(PLAIN).take(Buffer.from('$100000\r\n'), false)).to.deep.equal({
      kind: 'malformed',
      reason: 'oversized reply in the handshake',
    })
  })

  it('begins again when the credentials have changed meanwhile', () => {
    const greeting = begun(PLAIN)
    expect(greeting.credentialsChanged()).to.equal(false)
    expect(steps(greeting, '+OK\r\n', '+PONG\r\n')).to.deep.equal(['more', 'again'])
  })

  it('waits for credentials that are not known yet', () => {
    const greeting = new Greeting()
    expect(greeting.begin(undefined)).to.equal(undefined)
    expect(greeting.credentialsChanged()).to.equal(true)
    greeting.reset()
    expect(greeting.credentialsChanged()).to.equal(false)
  })

  it('asks a connection that lay idle with one PING', () => {
    const greeting = begun(PLAIN)
    steps(greeting, '+OK\r\n', '+PONG\r\n')
    expect(greeting.beginProbe().toString()).to.equal('*1\r\n$4\r\nPING\r\n')
    expect(steps(greeting, '+PONG\r\n')).to.deep.equal(['done'])
  })
})
