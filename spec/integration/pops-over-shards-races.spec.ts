/**
 * Blocking pops over several shards, and what happens in between: between an announcement and a pop, during a
 * pop, while a shard is lost. Rows of docs/faults.md are named in the titles.
 */
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  keysOn,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { pipeline, send, texts } from '../support/pipeline.ts'
import type { RawClient } from '../support/raw-client.ts'

const [[A = '', A2 = ''], [B = '']] = [keysOn(0, 2, 2), keysOn(1, 2)]
const NOTHING = '$-1\r\n'
const FLUSHED = '>2\r\n$10\r\ninvalidate\r\n_\r\n'

const announced = (key: string): string =>
  `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`
const element = (key: string, value: string): string =>
  `*2\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`

describe('blocking pops over two shards, and what comes between', () => {
  let a: FakeShard
  let b: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let other: RawClient
  /** By key: how many elements a look sees. */
  const lengths = new Map<string, number>()

  beforeEach(async () => {
    lengths.clear()
    a = await startFakeShard(answer)
    b = await startFakeShard(answer)
    ambassador = await startAmbassadorFor([a, b])
    client = await ambassador.connect()
    other = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await a.stop()
    await b.stop()
  })

  /** Looks are answered; pops are left to the specs. */
  function answer({ text }: FakeRequest): string | undefined {
    const [name, key = ''] = text.split(' ')
    return name === 'LLEN' ? `:${lengths.get(key) ?? 0}\r\n` : undefined
  }

  /** The next request of this text, and all before it are forgotten. */
  async function next(shard: FakeShard, text: string): Promise<FakeRequest> {
    for (;;) {
      const request = await shard.nextRequest()
      if (request.text === text) return request
    }
  }

  /** One client waits for both keys; the look at each. */
  async function waiting(from = client): Promise<[FakeRequest, FakeRequest]> {
    const line = `BLPOP ${A} ${B} 0`
    from.write(pipeline([line]))
    const looks: [FakeRequest, FakeRequest] = [
      await next(a, `LLEN ${A}`),
      await next(b, `LLEN ${B}`),
    ]
    // Whoever is answered now is answered behind the looks.
    await send(other, 'ECHO x', 'ECHO x')
    return looks
  }

  async function idOf(from: RawClient): Promise<string> {
    return (await send(from, 'CLIENT ID'))[0]?.slice(1).trim() ?? ''
  }

  function tell(look: FakeRequest, key: string, length: number): void {
    lengths.set(key, length)
    look.connection.send(announced(key))
  }

  it('look again when somebody else was faster', async () => {
    const [, look] = await waiting()
    tell(look, B, 1)
    const pop = await next(b, `LPOP ${B}`)
    lengths.set(B, 0)
    pop.reply(NOTHING)
    tell(look, B, 1)
    const again = await next(b, `LPOP ${B}`)
    again.reply('$1\r\nv\r\n')
    expect(await texts(client, 1)).to.deep.equal([element(B, 'v')])
  })

  it('pop one after the other: what comes to another shard meanwhile waits', async () => {
    const [lookA, lookB] = await waiting()
    tell(lookB, B, 1)
    const pop = await next(b, `LPOP ${B}`)
    tell(lookA, A, 1)
    await next(a, `LLEN ${A}`)
    await send(other, 'ECHO x')
    expect(a.requests.some(({ text }) => text.startsWith('LPOP'))).to.equal(false)
    pop.reply(NOTHING)
    const second = await next(a, `LPOP ${A}`)
    second.reply('$1\r\nv\r\n')
    expect(await texts(client, 1)).to.deep.equal([element(A, 'v')])
  })

  it('look at all keys when their shard says that all have changed', async () => {
    const [lookA] = await waiting()
    lengths.set(A, 1)
    lookA.connection.send(FLUSHED)
    const pop = await next(a, `LPOP ${A}`)
    pop.reply('$1\r\nv\r\n')
    expect(await texts(client, 1)).to.deep.equal([element(A, 'v')])
  })

  for (const [what, reply, isElement] of [
    ['an element, which is the answer', '$1\r\nv\r\n', true],
    ['nothing', NOTHING, false],
  ] as const) {
    it(`CLIENT UNBLOCK during a pop waits for its reply: ${what}`, async () => {
      const id = await idOf(client)
      const [lookA] = await waiting()
      tell(lookA, A, 1)
      const pop = await next(a, `LPOP ${A}`)
      other.write(pipeline([`CLIENT UNBLOCK ${id}`]))
      const third = await ambassador.connect()
      await send(third, 'ECHO x')
      expect(other.unreadBytes + client.unreadBytes).to.equal(0)
      pop.reply(reply)
      expect(await texts(other, 1)).to.deep.equal([isElement ? ':0\r\n' : ':1\r\n'])
      expect(await texts(client, 1)).to.deep.equal([isElement ? element(A, 'v') : '*-1\r\n'])
    })

    it(`time that ends during a pop waits for its reply: ${what}`, async () => {
      lengths.set(A, 1)
      client.write(pipeline([`BLPOP ${A} ${B} 0.01`]))
      const pop = await next(a, `LPOP ${A}`)
      // A client that comes later and may wait for longer has its answer.
      const later = await ambassador.connect()
      later.write(pipeline([`BLPOP ${A2} ${B} 0.05`]))
      expect(await texts(later, 1)).to.deep.equal(['*-1\r\n'])
      expect(client.unreadBytes).to.equal(0)
      pop.reply(reply)
      expect(await texts(client, 1)).to.deep.equal([isElement ? element(A, 'v') : '*-1\r\n'])
    })
  }

  it('an error in place of an element is the answer, and the next one is served', async () => {
    const second = await ambassador.connect()
    const [lookA] = await waiting()
    await waiting(second)
    tell(lookA, A, 1)
    const pop = await next(a, `LPOP ${A}`)
    pop.reply('-OOM command not allowed\r\n')
    expect(await texts(client, 1)).to.deep.equal(['-OOM command not allowed\r\n'])
    const again = await next(a, `LPOP ${A}`)
    again.reply('$1\r\nv\r\n')
    expect(await texts(second, 1)).to.deep.equal([element(A, 'v')])
  })

  it('an error to a first look is the answer', async () => {
    await b.stop()
    b = await startFakeShard(
      ({ text }) => {
        return text.startsWith('LLEN') ? '-NOPERM no rights\r\n' : undefined
      },
      { port: b.port },
    )
    while ((await send(other, `BLPOP ${A} ${B} 0`))[0] !== '-NOPERM no rights\r\n');
  })

  it('row 105: a shard lost during a pop: may have executed', async () => {
    const [, look] = await waiting()
    tell(look, B, 1)
    const pop = await next(b, `LPOP ${B}`)
    pop.connection.reset()
    expect(await texts(client, 1)).to.deep.equal([
      '-ERR ambassador: shard b connection lost (may have executed)\r\n',
    ])
  })

  it('row 104: a lost connection that is made again is no news, and what has come meanwhile is found', async () => {
    const [, look] = await waiting()
    lengths.set(B, 1)
    look.connection.reset()
    const pop = await next(b, `LPOP ${B}`)
    pop.reply('$1\r\nv\r\n')
    expect(await texts(client, 1)).to.deep.equal([element(B, 'v')])
  })

  it('row 103: a shard lost for good: not executed, and nothing is popped from the others', async () => {
    await waiting()
    await b.stop()
    expect(await texts(client, 1)).to.deep.equal([
      '-ERR ambassador: shard b unavailable (not executed)\r\n',
    ])
    expect(a.requests.some(({ text }) => text.startsWith('LPOP'))).to.equal(false)
    while (!(await send(client, `BLPOP ${A} ${B} 0`))[0]?.endsWith('b unavailable (not sent)\r\n'));
    b = await startFakeShard(answer, { port: b.port })
  })

  it('a reload that moves a key tells whoever waits for it, and nobody else', async () => {
    const second = await ambassador.connect()
    await waiting()
    second.write(pipeline([`BLPOP ${A} ${B} 0`]))
    await next(a, `LLEN ${A}`)
    ambassador.reload(configFor([a, b], { logLevel: 'error' }))
    await send(other, 'ECHO x')
    expect(client.unreadBytes + second.unreadBytes).to.equal(0)
    ambassador.reload(configFor([a]))
    const [heard = ''] = await texts(client, 1)
    expect(heard).to.match(/^-UNBLOCKED force unblock from blocking operation/)
    expect(await texts(second, 1)).to.deep.equal([heard])
  })
})

describe('blocking pops over two shards of which one does not announce changes', () => {
  for (const [what, refused, words] of [
    ['CLIENT TRACKING', /^CLIENT TRACKING/, 'NOPERM no right to client'],
    ['RESP3', /^HELLO/, 'ERR unknown command HELLO'],
  ] as const) {
    it(`are refused with the reason: ${what}`, async () => {
      const good = await startFakeShard(() => ':0\r\n')
      const bad = await startFakeShard(
        ({ text }) => {
          if (refused.test(text)) return `-${words}\r\n`
          if (text.startsWith('HELLO')) return '%1\r\n$5\r\nproto\r\n:3\r\n'
          return text.startsWith('PING') ? '+PONG\r\n' : '+OK\r\n'
        },
        { handshake: false },
      )
      const ambassador = await startAmbassadorFor([good, bad])
      const client = await ambassador.connect()
      const [refusal, again, pong] = await send(
        client,
        `BLPOP ${A} ${B} 0`,
        `BRPOP ${A} ${B} 0`,
        'PING',
      )
      expect(refusal).to.equal(
        "-CROSSSLOT Keys in request don't hash to the same slot, and shard b does not announce " +
          `changes of keys (${words})\r\n`,
      )
      expect(again).to.equal(refusal)
      expect(pong).to.equal('+PONG\r\n')
      await ambassador.stop()
      await good.stop()
      await bad.stop()
    })
  }
})
