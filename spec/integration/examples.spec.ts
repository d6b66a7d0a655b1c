/** Runs what examples/ shows, so that it stays true. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { cleanEnvironment, runBin, startBin } from '../support/bin.ts'
import { type Child, runChild, startChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const EXAMPLES = join(packageDirectory(), 'examples')

describe('examples', () => {
  const shards: RedisServer[] = []
  const children: Child[] = []

  before(async () => {
    shards.push(...(await Promise.all([startRedis(), startRedis(), startRedis()])))
  })
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill()
  })
  after(async () => {
    for (const shard of shards) await shard.stop()
  })

  const shardList = () => shards.map((shard, i) => `${'abc'[i]}=127.0.0.1:${shard.port}`).join(',')

  it('environment-variables/start.sh serves the shards it is told', async () => {
    const port = await freePort()
    const variables = {
      AMBASSADOR_SHARDS: shardList(),
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
    }
    const script = await startChild({
      command: join(EXAMPLES, 'environment-variables', 'start.sh'),
      args: [],
      env: cleanEnvironment(variables),
      ready: { log: 'accepting clients' },
    })
    children.push(script)
    const client = await connectRaw(port)
    expect(String(await client.request('SET', 'k', 'v'))).to.equal('+OK\r\n')
    await client.close()
    await script.kill('SIGTERM')
    expect(await script.exited).to.equal(0)
  })

  it('twemproxy-migration/nutcracker.yml is taken as it is', async () => {
    const config = join(EXAMPLES, 'twemproxy-migration', 'nutcracker.yml')
    const { code, stdout } = await runBin(['check', '--config', config])
    expect(stdout).to.match(/^gamma +127\.0\.0\.1:7003 .* 2 /m)
    expect(code).to.equal(0)
  })

  it('twemproxy-migration/rehearse.js moves an app to the ambassador and back without a wrong read', async () => {
    // Seven phases, in which eleven servers start, on a machine that runs other specs as well.
    const script = join(EXAMPLES, 'twemproxy-migration', 'rehearse.js')
    const { code, stdout, stderr } = await runChild(process.execPath, [script, '0.3'])
    expect([code, stderr]).to.deep.equal([0, ''])
    const phases = [...stdout.matchAll(/^([a-z ]+?) {2,}([\d,]+) +([\d,]+) +(\d+) +(\d+) +/gm)]
    const seen = phases.map(([, name, , , wrong, errors]) => `${name}: ${wrong} ${errors}`)
    expect(seen.slice(0, 4)).to.deep.equal([
      'nutcracker: 0 0',
      'app moves to the ambassador beside it: 0 0',
      'ambassador: 0 0',
      'app moves back: 0 0',
    ])
    // Between one owner of the port and the next nobody listens.
    expect(seen.slice(4).map((line) => line.replace(/\d+$/, ''))).to.deep.equal([
      'ambassador takes the port over: 0 ',
      'ambassador: 0 ',
      'nutcracker takes it back: 0 ',
    ])
    for (const [, , reads, writes] of phases) expect([reads, writes]).to.not.include('0')
    expect(stdout).to.match(/^0 wrong reads; 0 of 1600 keys on more than one shard$/m)
  })

  it('the guest book keeps its notes on several shards without knowing it', async () => {
    const [redisPort, webPort] = [await freePort(), await freePort()]
    const variables = { AMBASSADOR_SHARDS: shardList(), AMBASSADOR_ADMIN_LISTEN: 'off' }
    children.push(await startBin(['--listen', `127.0.0.1:${redisPort}`], variables))
    const url = await startGuestBook(redisPort, webPort)
    for (const text of ['first', '<second>', 'third']) {
      const answer = await fetch(`${url}/notes`, { method: 'POST', body: text })
      expect(answer.status).to.equal(201)
    }
    await fetch(`${url}/notes/1`, { method: 'DELETE' })
    expect(await (await fetch(`${url}/notes`)).json()).to.deep.equal([
      { id: '3', text: 'third' },
      { id: '2', text: '<second>' },
    ])
    expect(await (await fetch(url)).text()).to.include('<li>&#60;second&#62;</li>')
    expect((await fetch(`${url}/nowhere`)).status).to.equal(404)
    expect((await fetch(`${url}/notes`, { method: 'POST', body: ' ' })).status).to.equal(400)
  })

  /** The app has a package of its own; here it finds ioredis in ours. */
  async function startGuestBook(redisPort: number, webPort: number): Promise<string> {
    const app = await startChild({
      command: process.execPath,
      args: [join(EXAMPLES, 'app', 'server.js')],
      env: { REDIS_URL: `redis://127.0.0.1:${redisPort}`, PORT: String(webPort) },
      ready: { log: 'guest book on' },
    })
    children.push(app)
    return `http://127.0.0.1:${webPort}`
  }

  it('the guest book names the client version that we test with', () => {
    const manifest = (path: string) =>
      JSON.parse(readFileSync(join(packageDirectory(), path), 'utf8')) as Manifest
    const app = manifest('examples/app/package.json')
    expect(app.dependencies['ioredis']).to.equal(manifest('package.json').dependencies['ioredis'])
  })
})

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
}
