import { expect } from 'chai'
import { cut, everyChunking, everyPairOfCuts, randomChunking } from './chunks.ts'
import { type FakeShard, startFakeShard } from './fake-shard.ts'
import { decodeRequest, encodeRequest, endOfFrame } from './frames.ts'
import { startNutcracker } from './nutcracker.ts'
import { freePort } from './ports.ts'
import { createRandom } from './random.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

describe('spec/support: frames', () => {
  const frames = [
    '+OK\r\n',
    '-ERR no\r\n',
    ':-12\r\n',
    '$0\r\n\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*2\r\n*1\r\n$2\r\n\r\n\r\n:1\r\n',
    '%1\r\n+a\r\n,1.5\r\n',
    '|1\r\n+ttl\r\n:1\r\n$1\r\na\r\n',
    '>2\r\n+message\r\n_\r\n',
    '=6\r\ntxt:ab\r\n',
    `${'*1\r\n'.repeat(20_000)}:1\r\n`,
  ]

  for (const frame of frames) {
    it(`finds the end of ${JSON.stringify(frame.slice(0, 40))} and no earlier one`, () => {
      const bytes = Buffer.from(`${frame}+next\r\n`, 'latin1')
      expect(endOfFrame(bytes, 0)).to.equal(frame.length)
      const shorter = frame.length > 1000 ? [frame.length - 1] : [...Array(frame.length).keys()]
      for (const length of shorter)
        expect(endOfFrame(bytes.subarray(0, length), 0)).to.equal(undefined)
    })
  }

  it('refuses what is not RESP', () => {
    for (const bad of ['?\r\n', '$x\r\n', '$-2\r\n', '$1\r\nabcd', 'OK\r\n']) {
      expect(() => endOfFrame(Buffer.from(bad), 0), bad).to.throw(/not|CRLF/)
    }
  })

  it('decodes the requests it encodes', () => {
    const args = [Buffer.from('SET'), Buffer.alloc(0), Buffer.from([0, 13, 10, 255])]
    expect(decodeRequest(encodeRequest(...args))).to.deep.equal(args)
  })
})

describe('spec/support: chunks', () => {
  const bytes = Buffer.from('abcdef')

  it('cuts at every place and loses no byte', () => {
    const all = [...everyChunking(bytes), ...everyPairOfCuts(bytes)]
    all.push(randomChunking(bytes, createRandom(1), 4))
    expect(all).to.have.length(1 + 1 + 5 + 10 + 1)
    for (const { chunks } of all) expect(Buffer.concat(chunks)).to.deep.equal(bytes)
    expect(cut(bytes, [2, 3]).map(String)).to.deep.equal(['ab', 'c', 'def'])
  })

  it('repeats a random sequence from its seed', () => {
    const [a, b] = [createRandom(7), createRandom(7)]
    expect(a.bytes(100)).to.deep.equal(b.bytes(100))
    expect(createRandom(8).bytes(100)).not.to.deep.equal(createRandom(7).bytes(100))
  })
})

describe('spec/support: servers and clients', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  async function redis(): Promise<RedisServer> {
    const server = await startRedis()
    stops.push(() => server.stop())
    return server
  }

  async function fake(...args: Parameters<typeof startFakeShard>): Promise<FakeShard> {
    const shard = await startFakeShard(...args)
    stops.push(() => shard.stop())
    return shard
  }

  async function raw(port: number): Promise<RawClient> {
    const client = await connectRaw(port)
    stops.push(() => client.close())
    return client
  }

  it('starts, stops, continues, kills and restarts a redis-server', async () => {
    const server = await redis()
    const before = server.pid
    const client = await raw(server.port)
    await server.kill('SIGSTOP')
    const reply = client.request('SET', 'k', 'v')
    await server.kill('SIGCONT')
    expect(String(await reply)).to.equal('+OK\r\n')
    await server.kill()
    await client.closed()
    await server.restart()
    expect(server.pid).not.to.equal(before)
    expect(String(await (await raw(server.port)).request('GET', 'k'))).to.equal('$-1\r\n')
  })

  it('reports why a server did not start', async () => {
    const failed = await startRedis({ args: ['--no-such-option', '1'] }).catch((error) => error)
    expect(String(failed)).to.match(/ended \(1\) before it was ready[\s\S]*no-such-option/)
  })

  it('starts a nutcracker in front of a redis-server', async () => {
    const [server, port] = [await redis(), await freePort()]
    const yml = `a:\n  listen: 127.0.0.1:${port}\n  redis: true\n  servers:\n   - 127.0.0.1:${server.port}:1\n`
    const nutcracker = await startNutcracker(yml)
    stops.push(() => nutcracker.stop())
    expect(String(await (await raw(port)).request('SET', 'k', 'v'))).to.equal('+OK\r\n')
  })

  it('gives replies, the rest until FIN, and an error for a cut reply', async () => {
    const shard = await fake((request) => {
      request.reply('+one\r\n$3\r\ntwo\r\n')
      request.reply('+left')
      request.connection.halfClose()
      return undefined
    })
    const client = await raw(shard.port)
    client.write('*1\r\n$1\r\nx\r\n')
    expect((await client.replies(2)).map(String)).to.deep.equal(['+one\r\n', '$3\r\ntwo\r\n'])
    const cutReply = await client.reply().catch((error) => String(error))
    expect(cutReply).to.match(/ended before a whole reply; received "\+left"/)
    expect(String(await client.rest())).to.equal('+left')
  })

  it('answers handshakes by itself and hands every other request to the spec', async () => {
    const shard = await fake(() => undefined)
    const client = await raw(shard.port)
    expect(String(await client.request('select', '1'))).to.equal('+OK\r\n')
    const replies = Promise.all([client.request('get', 'a'), client.request('get', 'b')])
    const [first, second] = [await shard.nextRequest(), await shard.nextRequest()]
    expect([first.text, second.text]).to.deep.equal(['GET a', 'GET b'])
    await first.connection.sendInPieces(['$1\r', '\na\r\n+', 'b\r\n'])
    expect((await replies).map(String)).to.deep.equal(['$1\r\na\r\n', '+b\r\n'])
    expect(shard.requests).to.have.length(2)
    expect((await shard.connection(1)).requests).to.have.length(3)
  })

  it('resets in both directions', async () => {
    const shard = await fake((request) => {
      request.connection.reset()
      return undefined
    })
    const client = await raw(shard.port)
    expect(String(await client.request('get', 'a').catch((error) => error))).to.match(/ECONNRESET/)
    const other = await raw(shard.port)
    const connection = await shard.connection(2)
    other.reset()
    await connection.closed()
  })
})
