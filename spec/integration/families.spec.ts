/** Row 83: clients of IPv4 and of IPv6 get in where an address stands for both. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { runHealthcheck } from '../../lib/cli/healthcheck.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import type { Logger } from '../../lib/logger.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { Authority } from '../support/certificates.ts'
import { http } from '../support/http.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** Those that this machine has. */
const LOOPBACKS = ['127.0.0.1', '::1'].filter((address) => {
  return Object.values(networkInterfaces()).some((all) => {
    return all?.some((each) => each.address === address)
  })
})

/** Nothing listens there. */
const NO_SHARD = [{ port: 1 }]

const PONG = '+PONG\r\n'

describe('row 83: the two families of addresses', () => {
  const started: Ambassador[] = []

  afterEach(async () => {
    for (const ambassador of started.splice(0)) await ambassador.stop()
  })

  async function start(
    flags: Readonly<Record<string, string>>,
    logger: Logger = SILENT,
  ): Promise<Ambassador> {
    const ambassador = await startAmbassador(configFor(NO_SHARD, flags), logger)
    started.push(ambassador)
    return ambassador
  }

  async function ping(host: string, port: number): Promise<string> {
    const client = await connectRaw({ host, port })
    const reply = String(await client.request('PING'))
    await client.close()
    return reply
  }

  /** Host and port of each. */
  function places({ addresses }: Ambassador): [host: string, port: number][] {
    return addresses.map((each) =>
      typeof each === 'string' ? [each, 0] : [each.address, each.port],
    )
  }

  it('localhost is both, at one port, also where that is any free one', async () => {
    for (const given of [0, await freePort()]) {
      const ambassador = await start({ listen: `localhost:${given}` })
      const [[, port = 0] = []] = places(ambassador)
      expect(places(ambassador)).to.deep.equal(LOOPBACKS.map((host) => [host, port]))
      for (const host of LOOPBACKS) expect(await ping(host, port), host).to.equal(PONG)
    }
  })

  it('localhost is where it listens when nothing is said', () => {
    const env = { AMBASSADOR_SHARDS: 'a=127.0.0.1:1' }
    const {
      edge: { listen },
      watch: { adminListen },
    } = loadConfig({ env, cwd: temporaryFiles() })
    expect(listen).to.deep.equal([{ host: 'localhost', port: 6379 }])
    expect(adminListen).to.deep.equal({ host: 'localhost', port: 9380 })
  })

  it('clients are told all addresses', async () => {
    const redis = await startRedis()
    const config = configFor([redis], { listen: 'localhost:0' })
    const ambassador = await startAmbassador(config, SILENT)
    started.push(ambassador)
    const [[host = '', port = 0] = []] = places(ambassador)
    const client = await connectRaw({ host, port })
    const bind = String(await client.request('CONFIG', 'GET', 'bind'))
    await client.close()
    await redis.stop()
    expect(bind).to.include(`\r\n${LOOPBACKS.join(' ')}\r\n`)
    const texts = LOOPBACKS.map((each) => (each.includes(':') ? `[${each}]` : each))
    expect(ambassador.listening.clients).to.deep.equal(texts.map((each) => `${each}:${port}`))
  })

  it('so it is with TLS, and at the admin endpoint', async () => {
    const { cert, key } = new Authority().issue('DNS:localhost')
    const flags = { listen: 'tls://localhost:0', tlsCert: cert, tlsKey: key }
    const ambassador = await start({ ...flags, adminListen: 'localhost:0' })
    const [[, port = 0] = []] = places(ambassador)
    for (const host of LOOPBACKS) {
      const socket = connectTls({ host, port, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      socket.destroy()
    }
    const { adminAddress } = ambassador
    const adminPort = typeof adminAddress === 'object' ? adminAddress.port : 0
    for (const host of LOOPBACKS) {
      expect((await http({ host, port: adminPort, path: '/livez' })).status).to.equal(200)
    }
    expect(ambassador.listening.admin).to.have.lengthOf(LOOPBACKS.length)
  })

  it('what stands in the list twice by different names is listened on once', async () => {
    const port = await freePort()
    const ambassador = await start({ listen: `localhost:${port},127.0.0.1:${port},[::1]:${port}` })
    expect(places(ambassador)).to.deep.equal(LOOPBACKS.map((host) => [host, port]))
  })

  it('all addresses of both may be given as one or as two', async () => {
    for (const listen of ['[::]:PORT', '0.0.0.0:PORT,[::]:PORT', '127.0.0.1:PORT,[::]:PORT']) {
      const port = await freePort()
      await start({ listen: listen.replaceAll('PORT', `${port}`), trustNetwork: 'yes' })
      for (const host of LOOPBACKS) expect(await ping(host, port), listen).to.equal(PONG)
    }
  })

  it('an address of a family that is not there is left out where there is another', async () => {
    const warnings: string[] = []
    const logger = { ...SILENT, warn: (_: object, message: string) => warnings.push(message) }
    const port = await freePort()
    await start({ listen: `127.0.0.1:${port},[::1]:${port}` }, logger)
    for (const host of LOOPBACKS) expect(await ping(host, port)).to.equal(PONG)
    expect(warnings.filter((line) => line.startsWith('not listened on'))).to.have.lengthOf(
      2 - LOOPBACKS.length,
    )
  })

  it('localhost is refused as a whole where somebody else has one of the two', async () => {
    for (const host of LOOPBACKS) {
      const port = await freePort()
      const occupant = createServer().listen(port, host)
      await once(occupant, 'listening')
      const error = await start({ listen: `localhost:${port}` }).catch((reason) => reason)
      expect(error).to.include({ code: 'EADDRINUSE', address: host, port })
      for (const other of LOOPBACKS.filter((each) => each !== host)) {
        expect(await ping(other, port).catch(({ code }) => code)).to.equal('ECONNREFUSED')
      }
      await new Promise((resolve) => occupant.close(resolve))
    }
  })

  it('healthcheck gets in by the one that is there', async () => {
    for (const host of LOOPBACKS) {
      const port = await freePort()
      await start({ listen: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` })
      for (const listen of [`localhost:${port}`, `[::]:${port}`]) {
        const config = configFor(NO_SHARD, { listen, trustNetwork: 'yes' })
        expect(
          await runHealthcheck({ ...config.edge, ...config.watch }, () => {}),
          listen,
        ).to.equal(0)
      }
    }
  })
})
