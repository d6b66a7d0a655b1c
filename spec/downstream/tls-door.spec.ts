import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { expect } from 'chai'
import { TlsDoor } from '../../lib/downstream/tls-door.ts'
import { SILENT } from '../support/ambassador.ts'
import { Authority, pem } from '../support/certificates.ts'
import { until } from '../support/until.ts'

describe('TlsDoor', () => {
  const authority = new Authority()
  const { cert, key } = authority.issue('DNS:localhost')
  const reasons: unknown[] = []
  const secured: net.Socket[] = []
  const logger = {
    ...SILENT,
    debug: (facts: object) => reasons.push('reason' in facts ? facts.reason : facts),
  }
  const door = new TlsDoor({ logger, onSecure: (socket) => secured.push(socket), handshakeMs: 200 })
  const server = net.createServer({ allowHalfOpen: true }, (socket) => door.enter(socket))
  let port = 0

  before(async () => {
    const texts = { certificate: pem(cert).toString(), key: pem(key).toString() }
    door.use({ ...texts, authorities: undefined })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as net.AddressInfo).port
  })

  afterEach(async () => {
    door.close()
    await until(() => door.handshakes === 0)
    reasons.length = 0
    secured.length = 0
  })

  after(() => {
    server.close()
  })

  /** Connects, sends these bytes and waits for the end. */
  async function ended(bytes: Buffer): Promise<void> {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(bytes)
    await new Promise((resolve) => socket.on('close', resolve))
  }

  it('closes whoever does not get through the handshake in time', async () => {
    // The start of a ClientHello that never gets complete.
    await ended(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]))
    expect(String(reasons)).to.match(/handshake timeout/i)
    expect(secured).to.have.lengthOf(0)
  })

  it('closes whoever speaks something else', async () => {
    await ended(Buffer.from('*1\r\n$4\r\nPING\r\n'))
    expect(String(reasons)).to.match(/wrong version number/)
    expect(door.handshakes).to.equal(0)
  })

  it('counts a client until its handshake is done, and never below nothing', async () => {
    const silent = net.connect(port, '127.0.0.1')
    silent.on('error', () => {})
    await until(() => door.handshakes === 1)
    const ca = pem(authority.cert)
    const client = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
    client.on('error', () => {})
    await until(() => secured.length === 1)
    expect(door.handshakes).to.equal(1)
    door.close()
    await until(() => silent.closed && client.closed)
    await until(() => door.handshakes === 0)
  })
})
