/** The public API, used from dist/ by the package's name, as another program would. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../lib/config/package-directory.ts'
import { freePort } from './support/ports.ts'
import { connectRaw } from './support/raw-client.ts'
import { type RedisServer, startRedis } from './support/redis-server.ts'
import { temporaryFiles } from './support/temporary-files.ts'

type Api = typeof import('../lib/index.ts')
type Shards = Parameters<Api['createAmbassador']>[0]['shards']

/** Not a literal: the type checker must not need dist/. */
const PACKAGE: string = 'redis-ambassador'
const { createAmbassador, ConfigError } = (await import(PACKAGE)) as Api

/** Resolves to the lines of the ConfigError that these options are refused with. */
async function problemsOf(options: object): Promise<readonly string[]> {
  try {
    await createAmbassador(options as { shards: Shards })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('accepted')
}

describe('createAmbassador', () => {
  let redis: RedisServer[]

  before(async () => {
    redis = await Promise.all([startRedis(), startRedis()])
  })

  after(async () => {
    for (const server of redis) await server.stop()
  })

  function shards(): Shards {
    const [a, b] = redis.map(({ port }) => port)
    return [`a=127.0.0.1:${a}`, { name: 'b', url: `redis://127.0.0.1:${b}`, weight: 2 }]
  }

  it('serves clients over the shards given, until it is stopped', async () => {
    const ambassador = await createAmbassador({ listen: '127.0.0.1:0', shards: shards() })
    const [address] = ambassador.addresses
    const client = await connectRaw((address as { port: number }).port)
    const pairs = Array.from({ length: 100 }, (_, i) => [`key:${i}`, 'value']).flat()
    expect(String(await client.request('MSET', ...pairs))).to.equal('+OK\r\n')
    expect(String(await client.request('DBSIZE'))).to.equal(':100\r\n')
    await ambassador.stop()
    expect(String(await client.rest())).to.equal('')
    await client.closed()
  })

  it('tells the given logger what the log of the program would say', async () => {
    const messages: string[] = []
    const log = (_facts: object, message: string) => messages.push(message)
    const logger = { debug: () => {}, info: log, warn: log, error: log }
    const options = { listen: '0.0.0.0:0', shards: shards() }
    const ambassador = await createAmbassador(options, logger)
    await ambassador.stop()
    // The address is open to the network and no password is asked for.
    expect(messages[0]).to.equal('worth a look')
  })

  it('does not call shards down when it leaves them', async () => {
    const messages: string[] = []
    let bothUp = () => {}
    const upOnBoth = new Promise<void>((resolve) => {
      bothUp = resolve
    })
    const log = (_facts: object, message: string) => {
      messages.push(message)
      if (messages.length === 2) bothUp()
    }
    const logger = { debug: () => {}, info: log, warn: log, error: log }
    const ambassador = await createAmbassador({ listen: '127.0.0.1:0', shards: shards() }, logger)
    await upOnBoth
    await ambassador.stop()
    // Its sockets are closed by the time that this answer is here.
    const direct = await connectRaw((redis[0] as RedisServer).port)
    await direct.request('PING')
    await direct.close()
    expect(messages).to.deep.equal(['shard up', 'shard up'])
  })

  it('refuses options that it does not understand, all at once', async () => {
    const shards = ['a=127.0.0.1:1', { name: 'b', url: 'ftp://127.0.0.1:2' }]
    expect(await problemsOf({ hsh: 'md5', maxClients: 1.5, shards })).to.deep.equal([
      'options: there is no option "hsh"; did you mean "hash"?',
      'options: maxClients: "1.5" is not a whole number from 1 to 1000000',
      'options.shards[1]: shards: shard "b" has an unknown scheme "ftp"; ' +
        'redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster and unix are known',
    ])
    expect(await problemsOf({ hash: undefined })).to.deep.equal([
      'options: there are no shards; name them as { shards: ... }',
    ])
  })

  describe('and its reload', () => {
    it('takes the same options, and keeps clients and addresses', async () => {
      const [a, b] = redis.map(({ port }) => `127.0.0.1:${port}`)
      const listen = '127.0.0.1:0'
      const ambassador = await createAmbassador({ listen, shards: `s=${a}`, maxClients: 7 })
      const { addresses } = ambassador
      const client = await connectRaw((addresses[0] as { port: number }).port)
      await client.request('SET', 'where', 'first')
      const next = { listen: '127.0.0.1:1', shards: `s=${b}` }
      expect(ambassador.reload(next)).to.deep.equal({
        changed: ['maxClients', 'shards'],
        afterRestart: ['listen'],
      })
      expect(String(await client.request('GET', 'where'))).to.equal('$-1\r\n')
      expect(ambassador.addresses).to.deep.equal(addresses)
      expect(ambassador.reload(next)).to.deep.equal({ changed: [], afterRestart: [] })
      await ambassador.stop()
      await client.closed()
    })

    it('refuses options that it does not understand, counts that, and goes on as before', async () => {
      const options = { listen: '127.0.0.1:0', adminListen: '127.0.0.1:0', shards: shards() }
      const ambassador = await createAmbassador(options)
      expect(() => ambassador.reload({ ...options, maxClients: 1.5 }))
        .to.throw(ConfigError)
        .with.property('problems')
        .that.deep.equals(['options: maxClients: "1.5" is not a whole number from 1 to 1000000'])
      const client = await connectRaw((ambassador.addresses[0] as { port: number }).port)
      expect(String(await client.request('SET', 'k', 'v'))).to.equal('+OK\r\n')
      const { port } = ambassador.adminAddress as { port: number }
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      expect(metrics).to.match(/^ambassador_\w*reload\w*\{[^}]*fail[^}]*\} 1$/m)
      await ambassador.stop()
      await client.closed()
      expect(() => ambassador.reload(options)).to.throw('the ambassador is stopped')
    })
  })

  it('rejects, and leaves nothing running, when the address is taken', async () => {
    const listen = `127.0.0.1:${await freePort()}`
    const first = await createAmbassador({ listen, shards: shards() })
    // What it left behind would keep mocha from ending.
    const second = createAmbassador({ listen: ['127.0.0.1:0', listen], shards: shards() })
    const error: unknown = await second.catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'EADDRINUSE' })
    await first.stop()
  })
})

describe('examples/embedding', () => {
  it('writes keys through an ambassador in its own process, and ends', async () => {
    const redis = await startRedis()
    try {
      const env = { ...process.env, SHARDS: `a=127.0.0.1:${redis.port}` }
      const script = join(packageDirectory(), 'examples/embedding/embed.js')
      const output = execFileSync(process.execPath, [script], { env }).toString()
      expect(output).to.include('+OK\r\n:3\r\n+OK\n')
    } finally {
      await redis.stop()
    }
  })
})

describe("the package's types", () => {
  const program = (options: string) => `
    import type { AddressInfo } from 'node:net'
    import { type Ambassador, ConfigError, createAmbassador, type Logger } from 'redis-ambassador'
    const logger: Logger = console
    const ambassador: Ambassador = await createAmbassador(${options}, logger)
    const addresses: readonly (AddressInfo | string)[] = ambassador.addresses
    export const changed: readonly string[] = ambassador.reload(${options}).changed
    export const end: Promise<void> = ambassador.stop()
    export const facts = { addresses, problems: new ConfigError([]).problems }
  `

  /** Compiles a program that depends on this package, without skipLibCheck; what tsc says. */
  function compile(options: string): string {
    const root = packageDirectory()
    const directory = temporaryFiles({
      'program.mts': program(options),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2023',
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
        },
        files: ['program.mts'],
      }),
    })
    mkdirSync(join(directory, 'node_modules'))
    symlinkSync(root, join(directory, 'node_modules/redis-ambassador'))
    try {
      return execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', directory]).toString()
    } catch (error) {
      return String((error as { stdout: Buffer }).stdout)
    }
  }

  it('compile where the package is used, and know its options', () => {
    expect(compile("{ shards: 'a=h:1', hash: 'md5', passwordFile: '/run/secret' }")).to.equal('')
    expect(compile("{ shards: 'a=h:1', hash: 'md6' }")).to.include(`'"md6"' is not assignable`)
    expect(compile("{ hash: 'md5' }")).to.include("Property 'shards' is missing")
    expect(compile("{ shards: 'a=h:1', pool: 'x' }")).to.include("'pool' does not exist")
  })
})
