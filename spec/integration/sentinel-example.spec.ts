/**
 * examples/sentinel: its compose file, read by docker-compose where there is one, and its commands run
 * without containers, at addresses of this machine.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { OPTION_NAMES, variableName } from '../../lib/config/schema.ts'
import { startBin } from '../support/bin.ts'
import { type Child, startChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

interface Service {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly networks: { readonly redis: { readonly ipv4_address: string } }
}

const FILE = join(packageDirectory(), 'examples/sentinel/docker-compose.yml')
const TEXT = readFileSync(FILE, 'utf8')
/** Of the network in the file. */
const NETWORK = '172.28.0.'

function servicesAt(network: string): Readonly<Record<string, Service>> {
  return parse(TEXT.replaceAll(NETWORK, network), { merge: true }).services
}

describe('examples/sentinel', () => {
  const children: Child[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill()
  })

  it('is a compose file, where there is a docker-compose', () => {
    try {
      execFileSync('docker-compose', ['-f', FILE, 'config', '-q'], { stdio: 'pipe' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  })

  it('sets variables that the ambassador knows', () => {
    const known = OPTION_NAMES.map(variableName)
    const { ambassador } = servicesAt(NETWORK)
    expect(known).to.include.members(Object.keys(ambassador?.environment ?? {}))
  })

  /** Starts what the service starts, at the service's address. */
  async function start(service: Service | undefined): Promise<Child> {
    const { command = [], networks } = service ?? {}
    const address = networks?.redis.ipv4_address ?? ''
    const isSentinel = command[0] === 'sh'
    const directory = temporaryFiles()
    // In a container everything that it sends comes from its address; the image has no protected mode.
    const from = ['--bind', address, '--bind-source-addr', address, '--protected-mode', 'no']
    const here = [...from, '--dir', directory]
    const script = `${command[2]}`.replaceAll('/tmp/', `${directory}/`).trimEnd()
    const [program = '', ...args] = isSentinel
      ? ['sh', '-c', `${script} ${here.join(' ')}`]
      : [...command, ...here]
    const log = isSentinel ? 'monitor master' : 'Ready to accept connections'
    const child = await startChild({ command: program, args, ready: { log } })
    children.push(child)
    return child
  }

  it('lets the guest book write on while its master is killed, and reads from replicas', async () => {
    // All of 127.0.0.0/8 is this machine; another run of this spec has most likely another part of it.
    const network = `127.${100 + (process.pid % 100)}.${process.pid % 251}.`
    const { ambassador, app: _, ...servers } = servicesAt(network)
    const byName = new Map<string, Child>()
    for (const [name, service] of Object.entries(servers)) byName.set(name, await start(service))
    const [port, webPort] = [await freePort(), await freePort()]
    const bin = await startBin([], {
      ...ambassador?.environment,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
    })
    children.push(bin)
    const app = await startChild({
      command: process.execPath,
      args: [join(packageDirectory(), 'examples/app/server.js')],
      env: { REDIS_URL: `redis://127.0.0.1:${port}`, PORT: `${webPort}` },
      ready: { log: 'guest book on' },
    })
    children.push(app)
    const url = `http://127.0.0.1:${webPort}/notes`
    const write = async (body: string) => (await fetch(url, { method: 'POST', body })).status
    expect(await write('before')).to.equal(201)
    // Sentinels take nobody for the heir whom they have not found.
    await until(() => {
      const sentinels = ['sentinel-1', 'sentinel-2', 'sentinel-3']
      return sentinels.every((name) => {
        const { output = '' } = byName.get(name) ?? {}
        return output.split('+slave ').length > 2 && output.split('+sentinel ').length > 2
      })
    }, 100)
    await until(() => bin.output.split('replica is read from').length > 2, 100)
    const reader = await connectRaw(port)
    const shards = String(await reader.request('AMBASSADOR', 'SHARDS'))
    expect(shards.split('\r\nread\r\n')).to.have.lengthOf(3)
    await reader.request('GET', 'nothing')
    await reader.close()
    const read = ['redis-2', 'redis-3'].map((name) => {
      const { ipv4_address: host } = servers[name]?.networks.redis ?? { ipv4_address: '' }
      return execFileSync('redis-cli', ['-h', host, 'INFO', 'commandstats'], { encoding: 'utf8' })
    })
    expect(read.filter((text) => text.includes('cmdstat_get:'))).to.have.lengthOf(1)
    // What no replica has is lost with its master.
    const client = await connectRaw(port)
    await client.request('SET', 'last', 'word')
    expect(String(await client.request('WAIT', '2', '0'))).to.equal(':2\r\n')
    await client.close()
    await byName.get('redis-1')?.kill('SIGKILL')
    // On a busy machine an election may take longer than one request may.
    await until(async () => (await write('after')) === 201, 100)
    const notes = (await (await fetch(url)).json()) as { text: string }[]
    const texts = notes.map(({ text }) => text)
    expect(texts[0]).to.equal('after')
    expect(texts.at(-1)).to.equal('before')
    expect(bin.output).to.match(/"shard has another server"|another server/)
    expect(bin.output).to.include(`${network}11:6379`)
  })
})
