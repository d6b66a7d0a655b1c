/** healthcheck against servers that answer well, badly, and not at all. */
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { runHealthcheck } from '../../lib/cli/healthcheck.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { Authority } from '../support/certificates.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

describe('healthcheck', () => {
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let received = ''

  /** Answers each connection's first bytes with `answer`; undefined: never. */
  async function serve(answer: string | undefined, at: object = { port: 0, host: '127.0.0.1' }) {
    received = ''
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        if (answer === '') socket.end()
        else if (answer !== undefined && received.endsWith('PING\r\n')) socket.write(answer)
      })
    })
    await new Promise<void>((resolve) => server?.listen(at, resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server?.close(resolve))
  })

  async function check(listen: string, password?: string): Promise<[code: number, text: string]> {
    const env = {
      AMBASSADOR_SHARDS: 'a=127.0.0.1:1',
      AMBASSADOR_LISTEN: listen,
      ...(password !== undefined && { AMBASSADOR_PASSWORD: password }),
    }
    let text = ''
    const config = loadConfig({ env, cwd: temporaryFiles() })
    const code = await runHealthcheck(config, (complaint) => {
      text += complaint
    })
    return [code, text]
  }

  it('is well when PING gets PONG', async () => {
    const port = await serve('+PONG\r\n')
    expect(await check(`127.0.0.1:${port}`)).to.deep.equal([0, ''])
    expect(received).to.equal('*1\r\n$4\r\nPING\r\n')
  })

  it('presents the password first', async () => {
    const port = await serve('+OK\r\n+PONG\r\n')
    expect(await check(`127.0.0.1:${port}`, 'pässword')).to.deep.equal([0, ''])
    expect(Buffer.from(received, 'latin1').toString()).to.equal(
      '*2\r\n$4\r\nAUTH\r\n$9\r\npässword\r\n*1\r\n$4\r\nPING\r\n',
    )
  })

  it('connects to the machine itself when the address is a wildcard', async () => {
    const port = await serve('+PONG\r\n')
    expect(await check(`0.0.0.0:${port}`)).to.deep.equal([0, ''])
  })

  it('connects to a unix socket', async () => {
    const path = join(temporaryFiles(), 's')
    await serve('+PONG\r\n', { path })
    expect(await check(`unix:${path}`)).to.deep.equal([0, ''])
  })

  it('asks through TLS where there is no other way', async () => {
    const { cert, key } = new Authority().issue('DNS:elsewhere')
    const redis = { port: 1 }
    const flags = { tlsCert: cert, tlsKey: key }
    const ambassador = await startAmbassadorFor([redis], { ...flags, listen: 'tls://127.0.0.1:0' })
    const listen = `tls://127.0.0.1:${ambassador.port}`
    const config = configFor([redis], { ...flags, listen })
    expect(await runHealthcheck(config, () => {})).to.equal(0)
    const port = await serve('+PONG\r\n')
    const both = configFor([redis], { ...flags, listen: `${listen},127.0.0.1:${port}` })
    await ambassador.stop()
    expect(await runHealthcheck(both, () => {})).to.equal(0)
  })

  it('fails when nobody listens', async () => {
    const port = await serve('+PONG\r\n')
    await new Promise((resolve) => server?.close(resolve))
    const [code, text] = await check(`127.0.0.1:${port}`)
    expect(code).to.equal(1)
    expect(text).to.equal(`127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}\n`)
  })

  it('fails on any other answer, without the password in the complaint', async () => {
    const port = await serve('-NOAUTH Authentication required.\r\n')
    const [code, text] = await check(`127.0.0.1:${port}`, 'hunter2')
    expect(code).to.equal(1)
    expect(text)
      .to.match(/unexpected answer "-NOAUTH/)
      .and.not.to.include('hunter2')
  })

  it('fails when the connection is closed instead', async () => {
    const port = await serve('')
    expect((await check(`127.0.0.1:${port}`))[1]).to.match(/closed the connection/)
  })

  it('fails when there is no answer in time', async () => {
    const port = await serve(undefined)
    expect((await check(`127.0.0.1:${port}`))[1]).to.match(/no answer within 2000 ms/)
  })
})
