/** healthcheck of ambassadors in every state in which one lives, and of what is none. */
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { runHealthcheck } from '../../lib/cli/healthcheck.ts'
import type { Config } from '../../lib/config/config.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { configFor, SILENT, startAmbassadorFor } from '../support/ambassador.ts'
import { startAmbassadorProcess } from '../support/ambassador-process.ts'
import { runBin } from '../support/bin.ts'
import { Authority } from '../support/certificates.ts'
import { runChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** Nothing listens there. */
const NO_SHARD = [{ port: 1 }]

describe('healthcheck of an ambassador', () => {
  const { cert, key } = new Authority().issue('DNS:elsewhere')

  /** The exit code and the complaint, for an ambassador with these options after `prepare`. */
  async function check(
    flags: Readonly<Record<string, string>>,
    prepare: (port: number) => Promise<readonly RawClient[]> = async () => [],
  ): Promise<[code: number, text: string]> {
    const ambassador = await startAmbassadorFor(NO_SHARD, flags)
    started.push(ambassador)
    const clients = await prepare(ambassador.port)
    const listen = (flags['listen'] ?? '127.0.0.1:0').replace(/:0$/, `:${ambassador.port}`)
    const outcome = await checkAt(configFor(NO_SHARD, { ...flags, listen }))
    for (const client of clients) await client.close()
    return outcome
  }

  async function checkAt(config: Config): Promise<[number, string]> {
    let text = ''
    const code = await runHealthcheck({ ...config.edge, ...config.watch }, (complaint) => {
      text += complaint
    })
    return [code, text]
  }

  const ALIVE = [0, '']

  /** What a spec has started, the latest last. */
  const started: { stop: () => Promise<unknown> }[] = []

  afterEach(async () => {
    for (const each of started.splice(0).reverse()) await each.stop()
  })

  it('is well, whoever may log in', async () => {
    for (const flags of [
      {},
      { password: 'pässword' },
      { users: 'alice:secret' },
      { authPassthrough: 'yes' },
    ] as const) {
      expect(await check(flags), JSON.stringify(flags)).to.deep.equal(ALIVE)
    }
  })

  it('row 85: is well while as many clients are connected as may be', async () => {
    const client = async (port: number) => [await connectRaw(port)]
    expect(await check({ maxClients: '1' }, client)).to.deep.equal(ALIVE)
    // In a flood most are turned away without a word.
    const flood = async (port: number) => {
      return await Promise.all(Array.from({ length: 40 }, () => connectRaw(port)))
    }
    expect(await check({ maxClients: '1' }, flood)).to.deep.equal(ALIVE)
    const tls = { tlsCert: cert, tlsKey: key, listen: 'tls://127.0.0.1:0', maxClients: '1' }
    expect(await check(tls, client)).to.deep.equal(ALIVE)
    const path = join(temporaryFiles(), 's')
    const unix = { listen: `unix:${path}`, maxClients: '1' }
    expect(await check(unix, async () => [await connectRaw({ path })])).to.deep.equal(ALIVE)
  })

  it('is well where the only way in is TLS, and where that wants a certificate', async () => {
    const tls = { tlsCert: cert, tlsKey: key, listen: 'tls://127.0.0.1:0' }
    expect(await check(tls)).to.deep.equal(ALIVE)
    const { cert: tlsCa } = new Authority()
    expect(await check({ ...tls, tlsCa })).to.deep.equal(ALIVE)
  })

  it('takes the plainest of several ways in', async () => {
    const port = await freePort()
    const flags = { tlsCert: cert, tlsKey: key, listen: `tls://127.0.0.1:${port},127.0.0.1:0` }
    const config = configFor(NO_SHARD, flags)
    const [, text] = await checkAt(config)
    expect(text).to.match(/^127\.0\.0\.1:0: /)
  })

  it('connects to the machine itself where the address is a wildcard', async () => {
    const trusted = { trustNetwork: 'yes' }
    for (const listen of ['0.0.0.0:0', '[::]:0']) {
      expect(await check({ ...trusted, listen }), listen).to.deep.equal(ALIVE)
    }
  })

  it('is well while the ambassador drains, as its admin endpoint says', async () => {
    const redis = await startRedis()
    started.push(redis)
    const flags = { listen: `127.0.0.1:${await freePort()}` }
    const config = configFor([redis], { ...flags, adminListen: `127.0.0.1:${await freePort()}` })
    const ambassador = await startAmbassador(config, SILENT)
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    await client.request('SET', 'k', 'v')
    await redis.kill('SIGSTOP')
    const reply = client.request('GET', 'k')
    while (ambassador.gauges.inFlight === 0) await checkAt(config)
    const stopped = ambassador.stop()
    expect(await checkAt(config)).to.deep.equal(ALIVE)
    await redis.kill('SIGCONT')
    await reply
    await stopped
    await client.close()
    expect((await checkAt(config))[1]).to.match(/ECONNREFUSED/)
  })

  it('is well when the configuration has become wrong meanwhile, for that is in use nowhere', async () => {
    const ambassador = await startAmbassadorFor(NO_SHARD)
    const file = join(temporaryFiles(), 'given.yaml')
    const listen = `listen: 127.0.0.1:${ambassador.port}\nadminListen: off\n`
    const ask = () => runBin(['healthcheck', '--config', file], {})
    for (const mistake of ['maxClients: many', 'nonsense: 1', 'passwordFile: /nonexistent', '']) {
      writeFileSync(file, `${listen}${mistake}\n`)
      expect(await ask(), mistake).to.deep.equal({ code: 0, stdout: '', stderr: '' })
    }
    await ambassador.stop()
    writeFileSync(file, `${listen}maxClients: many\n`)
    const { code, stderr } = await ask()
    expect(code).to.equal(78)
    expect(stderr)
      .to.match(/ECONNREFUSED/)
      .and.to.match(/"many" is not a whole number/)
  })

  it('row 85: is well when no descriptor is left, and not when the process hangs', async () => {
    const flags = ['--log-format', 'json']
    const victim = await startAmbassadorProcess(NO_SHARD, flags)
    started.push({ stop: () => victim.child.kill() })
    const ask = async () => {
      const listen = `127.0.0.1:${victim.port}`
      const variables = { AMBASSADOR_LISTEN: listen, AMBASSADOR_ADMIN_LISTEN: 'off' }
      return (await runBin(['healthcheck'], { AMBASSADOR_SHARDS: 'a=127.0.0.1:1', ...variables }))
        .code
    }
    expect(await ask()).to.equal(0)
    // The limit lies above all that it has, and clients take what is free below: then it can accept nobody.
    const pid = `${victim.child.pid}`
    const used = readdirSync(`/proc/${pid}/fd`).map(Number)
    const most = Math.max(...used) + 1
    const limit = ['--pid', pid, `--nofile=${most}:${most}`]
    expect((await runChild('prlimit', limit)).code).to.equal(0)
    for (let free = most - used.length; free > 0; free--) {
      await (await connectRaw(victim.port)).request('PING')
    }
    expect(await ask()).to.equal(0)
    await victim.child.kill('SIGSTOP')
    expect(await ask()).to.equal(1)
  })
})

describe('healthcheck of something else', () => {
  const sockets = new Set<Socket>()
  const servers: Server[] = []

  /** Answers each connection's first bytes with `answer`; undefined: never. */
  async function serve(answer: string | undefined): Promise<number> {
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('data', () => {
        if (answer !== undefined) socket.write(answer)
      })
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async function stopServing(): Promise<void> {
    for (const socket of sockets) socket.destroy()
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  }

  afterEach(stopServing)

  async function check(port: number): Promise<[code: number, text: string]> {
    const env = {
      AMBASSADOR_SHARDS: 'a=127.0.0.1:1',
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
      AMBASSADOR_PASSWORD: 'hunter2',
    }
    let text = ''
    const config = loadConfig({ env, cwd: temporaryFiles() })
    const code = await runHealthcheck({ ...config.edge, ...config.watch }, (complaint) => {
      text += complaint
    })
    return [code, text]
  }

  it('fails when nobody listens', async () => {
    const port = await serve('')
    await stopServing()
    expect(await check(port)).to.deep.equal([
      1,
      `127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    ])
  })

  it('fails on an answer that is none of ours, and tells no password', async () => {
    for (const answer of [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '-DENIED Redis\r\n',
      '$4\r\nPONG\r\n',
    ]) {
      const [code, text] = await check(await serve(answer))
      expect(code).to.equal(1)
      expect(text)
        .to.match(/unexpected answer "/)
        .and.not.to.include('hunter2')
    }
  })

  it('fails on an endless answer without a line', async () => {
    expect((await check(await serve('x'.repeat(5000))))[1]).to.match(/unexpected answer "x{1024}"/)
  })

  it('fails when there is no answer in time', async () => {
    expect((await check(await serve(undefined)))[1]).to.match(/no answer within 2000 ms/)
  })
})
