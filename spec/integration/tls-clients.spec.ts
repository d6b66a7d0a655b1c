/** TLS for clients: what passes the door, what does not, and what a session may rely on behind it. */
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { expect } from 'chai'
import { type AmbassadorUnderTest, configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { startBin } from '../support/bin.ts'
import { Authority, type Pair, pem } from '../support/certificates.ts'
import { encodeRequest } from '../support/frames.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** The types do not know that a TLS socket takes what a socket takes. */
type Options = tls.ConnectionOptions & { readonly allowHalfOpen?: boolean }

const HOSTS = 'DNS:localhost,IP:127.0.0.1'

describe('row 62: TLS for clients', () => {
  const authority = new Authority()
  const server = authority.issue(HOSTS)
  const flags = { listen: 'tls://127.0.0.1:0', tlsCert: server.cert, tlsKey: server.key }
  let redis: RedisServer
  let ambassador: AmbassadorUnderTest
  const clients: RawClient[] = []

  before(async () => {
    redis = await startRedis()
    ambassador = await startAmbassadorFor([redis], flags)
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close()
    await ambassador.quiet()
  })

  after(async () => {
    await ambassador.stop()
    await redis.stop()
  })

  function dial(port: number, own?: Pair, more: Options = {}): tls.TLSSocket {
    const shown = own === undefined ? {} : { cert: pem(own.cert), key: pem(own.key) }
    return tls.connect({ host: '127.0.0.1', port, ca: pem(authority.cert), ...shown, ...more })
  }

  async function connectTls(port: number, own?: Pair): Promise<RawClient> {
    const socket = dial(port, own, { allowHalfOpen: true })
    const client = new RawClient(socket)
    clients.push(client)
    await once(socket, 'secureConnect')
    return client
  }

  /** What comes before the end of a connection on which these bytes are sent. */
  async function answerTo(port: number, bytes: Buffer): Promise<Buffer> {
    const socket = net.connect(port, '127.0.0.1')
    const parts: Buffer[] = []
    socket.on('error', () => {})
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.write(bytes)
    await once(socket, 'close')
    return Buffer.concat(parts)
  }

  it('carries requests and replies, and delivers all of them after a FIN', async () => {
    const client = await connectTls(ambassador.port)
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    client.write(Buffer.concat([encodeRequest('GET', 'a'), encodeRequest('INCR', 'a')]))
    client.halfClose()
    expect((await client.rest()).toString()).to.equal('$1\r\n1\r\n:2\r\n')
  })

  it('never writes from a buffer that is used again before the bytes are out', async () => {
    const values = Array.from({ length: 40 }, (_, i) => `${i}:`.repeat(900 + 1700 * (i % 13)))
    const writer = await connectTls(ambassador.port)
    for (const [i, value] of values.entries()) await writer.request('SET', `reuse:${i}`, value)
    const readers = await Promise.all(Array.from({ length: 6 }, () => connectTls(ambassador.port)))
    // Readers that pause now and then keep bytes in the socket while buffers come and go.
    await Promise.all(
      readers.map(async (client) => {
        client.pause()
        const replies = Promise.all(
          Array.from({ length: 200 }, (_, i) => client.request('GET', `reuse:${i % 40}`)),
        )
        setImmediate(() => client.resume())
        for (const [i, reply] of (await replies).entries()) {
          const value = values[i % 40] ?? ''
          expect(reply.toString() === `$${value.length}\r\n${value}\r\n`, `${i}`).to.equal(true)
        }
      }),
    )
  })

  it('stops reading from a client that does not read its replies', async () => {
    const client = await connectTls(ambassador.port)
    await client.request('SET', 'megabyte', Buffer.alloc(1_000_000, 'x'))
    client.pause()
    const request = encodeRequest('GET', 'megabyte')
    for (let i = 0; i < 300; i++) client.write(request)
    const other = await connectTls(ambassador.port)
    for (let i = 0; i < 200; i++) await other.request('GET', 'a')
    const list = (await other.request('CLIENT', 'LIST')).toString()
    const held = [...list.matchAll(/ omem=(\d+)/g)].map(([, bytes]) => Number(bytes))
    // What is not held may be in the buffers of the sockets, which are far smaller than 300 MB.
    expect(Math.max(...held)).to.be.within(1, 64 * 1024 * 1024)
    client.resume()
    for (let i = 0; i < 300; i++) expect((await client.reply()).length).to.equal(1_000_012)
  })

  it('cuts off requests in clear, and TLS where none is spoken', async () => {
    const answer = await answerTo(ambassador.port, encodeRequest('SET', 'stolen', '1'))
    expect(answer.toString('latin1')).to.not.match(/OK|ERR/)
    const plain = await startAmbassadorFor([redis])
    const socket = dial(plain.port)
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error).to.be.an('error')
    const client = await plain.connect()
    expect((await client.request('EXISTS', 'stolen')).toString()).to.equal(':0\r\n')
    await plain.stop()
  })

  it('speaks nothing older than TLS 1.2', async () => {
    const old = dial(ambassador.port, undefined, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' })
    const [error] = (await once(old, 'error')) as [Error]
    expect(error).to.be.an('error')
  })

  it('demands certificates from clients when it has an authority for them', async () => {
    const mutual = await startAmbassadorFor([redis], { ...flags, tlsCa: authority.cert })
    const known = await connectTls(mutual.port, authority.issue('DNS:client'))
    expect((await known.request('PING', 'x')).toString()).to.equal('$1\r\nx\r\n')
    await known.close()
    const strangers = [undefined, new Authority().issue('DNS:client')]
    for (const own of [...strangers, authority.issue('DNS:client', -1)]) {
      const socket = dial(mutual.port, own)
      const parts: Buffer[] = []
      socket.on('error', () => {})
      socket.on('data', (part: Buffer) => parts.push(part))
      socket.write(encodeRequest('SET', 'stolen', '1'))
      await new Promise((resolve) => socket.on('close', resolve))
      expect(Buffer.concat(parts).toString()).to.equal('')
    }
    await mutual.stop()
    const client = await connectRaw(redis.port)
    expect((await client.request('EXISTS', 'stolen')).toString()).to.equal(':0\r\n')
    await client.close()
  })

  it('counts clients that have not finished their handshake, and stops without them', async () => {
    const small = await startAmbassadorFor([redis], { ...flags, maxClients: '2' })
    const silent = [net.connect(small.port, '127.0.0.1'), net.connect(small.port, '127.0.0.1')]
    for (const socket of silent) {
      socket.on('error', () => {})
      await once(socket, 'connect')
    }
    const third = dial(small.port)
    const [error] = (await once(third, 'error')) as [Error]
    expect(error).to.be.an('error')
    const gone = Promise.all(silent.map((socket) => once(socket, 'close')))
    await small.stop()
    await gone
  })

  it('shows a renewed certificate to new clients and keeps the others', async () => {
    const directory = temporaryFiles()
    const pair = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') }
    const renew = ({ cert, key }: Pair): void => {
      copyFileSync(cert, pair.cert)
      copyFileSync(key, pair.key)
    }
    renew(authority.issue('DNS:first,IP:127.0.0.1'))
    const port = await freePort()
    const args = ['--listen', `tls://127.0.0.1:${port}`, '--admin-listen', 'off']
    const files = ['--tls-cert', pair.cert, '--tls-key', pair.key]
    const shards = ['--shards', `127.0.0.1:${redis.port}`]
    const bin = await startBin(['start', ...args, ...files, ...shards, '--log-format', 'json'], {})
    const first = await connectTls(port)
    expect(namesOf(first)).to.include('first')
    const reloaded = bin.ready({ log: 'configuration reloaded' })
    renew(authority.issue('DNS:second,IP:127.0.0.1'))
    await reloaded
    const second = await connectTls(port)
    expect(namesOf(second)).to.include('second')
    expect((await first.request('PING', 'x')).toString()).to.equal('$1\r\nx\r\n')
    await bin.kill('SIGTERM')
  })

  it('keeps its certificate when the new one does not fit', async () => {
    const other = authority.issue(HOSTS)
    const config = () => configFor([redis], { ...flags, tlsKey: other.key })
    expect(config).to.throw(/is not that of the certificate/)
  })
})

function namesOf(client: RawClient): string {
  return String((client.socket as tls.TLSSocket).getPeerCertificate().subjectaltname)
}
