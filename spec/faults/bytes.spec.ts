/**
 * Faults that clients send, by their numbers in docs/faults.md. More of them, one by one and
 * byte by byte, are in spec/resp and spec/integration/protocol-errors.spec.ts.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startShards } from '../support/ambassador.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { connectRaw } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { Victim } from '../support/victim.ts'

describe('faults: bytes that clients send', () => {
  let redises: RedisServer[]
  let ambassador: AmbassadorUnderTest
  let stop: () => Promise<void>
  let victim: Victim

  before(async () => {
    ;({ redises, ambassador, stop } = await startShards(2))
    victim = await Victim.start({ port: ambassador.port, id: 'v', depth: 100 })
  })

  after(async () => {
    await victim.stop()
    await stop()
  })

  /** Everything that comes back until the connection is closed. */
  async function answerTo(bytes: string | Buffer): Promise<string> {
    const client = await ambassador.connect()
    client.write(bytes)
    const answer = await client.rest().catch(() => Buffer.from('(reset)'))
    return answer.toString('latin1')
  }

  /** Nobody else may have noticed. */
  afterEach(async () => {
    await victim.round()
    expect([...victim.errors]).to.deep.equal([])
  })

  it('row 1: requests cut at every place, one read each, are answered as uncut', async () => {
    const bytes = encodeRequest('SET', 'row1', 'a\r\n$1')
    const client = await ambassador.connect()
    for (let at = 1; at < bytes.length; at++) {
      client.write(bytes.subarray(0, at))
      await new Promise((resolve) => setImmediate(resolve))
      client.write(bytes.subarray(at))
      expect((await client.reply()).toString()).to.equal('+OK\r\n')
    }
  })

  for (const [row, bytes, error] of [
    [3, '*2147483648\r\n', 'invalid multibulk length'],
    [4, '*1048577\r\n', 'invalid multibulk length'],
    [5, '*2\r\n$3\r\nGET\r\n$18446744073709551617\r\n', 'invalid bulk length'],
    [7, '*1\r\n:4\r\n', "expected '$', got ':'"],
    [8, '*2\r\n$4\r\nECHO\r\n$1\r\naXX', 'expected CRLF after bulk string'],
    [9, `*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    [10, 'PING "\r\n', 'unbalanced quotes in request'],
    [13, `*1\r\n$\0${'A'.repeat(70_000)}`, 'too big bulk count string'],
  ] as const) {
    it(`row ${row}: "${error}", and the connection ends`, async () => {
      const after = encodeRequest('SET', 'row', 'executed').toString()
      expect(await answerTo(bytes + after)).to.equal(`-ERR Protocol error: ${error}\r\n`)
    })
  }

  it('row 2: what says nothing is not answered, and what follows is', async () => {
    expect(await answerTo(`\r\n*0\r\n*-1\r\n*-10\r\n${encodeRequest('QUIT')}`)).to.equal('+OK\r\n')
  })

  it('row 11: HTTP is cut off without a word, and its body never runs', async () => {
    const body = encodeRequest('SET', 'http', 'executed').toString()
    for (const head of ['POST / HTTP/1.1\r\nHost: x\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n']) {
      expect(await answerTo(head + body)).to.be.oneOf(['', '(reset)'])
    }
    for (const name of ['post', 'HOST:', 'host:']) {
      const framed = encodeRequest(name, '/', 'HTTP/1.1').toString()
      expect(await answerTo(framed + body)).to.be.oneOf(['', '(reset)'])
    }
    const client = await ambassador.connect()
    expect((await client.request('EXISTS', 'http')).toString()).to.equal(':0\r\n')
  })

  it('row 12: NUL bytes in an inline request are an error', async () => {
    expect(await answerTo('PI\0NG\r\n')).to.equal(
      '-ERR Protocol error: NUL byte in inline request\r\n',
    )
  })

  it('row 14: an unknown name is refused in the words of Redis, cut and on one line', async () => {
    const client = await ambassador.connect()
    const direct = await connectRaw(redises[0]?.port ?? 0)
    for (const request of [['fo\r\n+OK\r\n'], ['n'.repeat(10_000), 'a\r\n']]) {
      const [own, redis] = [await client.request(...request), await direct.request(...request)]
      expect(own.toString('latin1')).to.equal(redis.toString('latin1'))
    }
    await direct.close()
  })

  it('row 15: wrong numbers of arguments are refused, and the connection stays', async () => {
    const client = await ambassador.connect()
    for (const request of [['GET'], ['MSET', 'a', 'b', 'c'], ['MGET'], ['EVAL', 'x', 'no']]) {
      expect((await client.request(...request)).toString()).to.match(/^-ERR (wrong|value is not)/)
    }
    expect((await client.request('PING')).toString()).to.equal('+PONG\r\n')
  })

  it('row 16: keys may be empty, long, binary or made of braces', async () => {
    const client = await ambassador.connect()
    for (const key of ['', 'k'.repeat(20_000), 'a\0b\r\nc', '{}', '{}{x}', '{', '}{']) {
      await client.request('SET', key, `of ${key.length}`)
      const reply = await client.request('GET', key)
      expect(reply.toString()).to.equal(bulk(`of ${key.length}`).toString())
    }
  })

  it('row 18: ten kilobytes cannot make a megabyte, but for values that are that large', async () => {
    const client = await ambassador.connect()
    const keys = Array.from({ length: 1000 }, (_, i) => `none${i}`)
    const reply = await client.request('MGET', ...keys)
    expect(reply.toString()).to.equal(`*1000\r\n${'$-1\r\n'.repeat(1000)}`)
    const clients = await Promise.all(Array.from({ length: 200 }, () => ambassador.connect()))
    const beforeBytes = process.memoryUsage().arrayBuffers
    for (const each of clients) each.write('*1048576\r\n$536870912\r\n')
    await victim.round()
    expect(process.memoryUsage().arrayBuffers - beforeBytes).to.be.below(10 * 1024 * 1024)
  })
})
