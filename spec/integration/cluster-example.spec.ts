/**
 * examples/cluster: its compose file, read by docker-compose where there is one, and its commands run
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
import { type Child, runChild, startChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

interface Service {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly networks: { readonly redis: { readonly ipv4_address: string } }
}

const FILE = join(packageDirectory(), 'examples/cluster/docker-compose.yml')
const TEXT = readFileSync(FILE, 'utf8')
/** Of the network in the file. */
const NETWORK = '172.28.1.'
const SERVERS = ['redis-1', 'redis-2', 'redis-3', 'redis-4', 'redis-5', 'redis-6']

function servicesAt(network: string): Readonly<Record<string, Service>> {
  return parse(TEXT.replaceAll(NETWORK, network), { merge: true }).services
}

describe('examples/cluster', () => {
  const children: Child[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill()
  })

  async function start(options: Parameters<typeof startChild>[0]): Promise<Child> {
    const child = await startChild(options)
    children.push(child)
    return child
  }

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
  function startServer({ command = [], networks }: Service): Promise<Child> {
    const address = networks.redis.ipv4_address
    // In a container everything that it sends comes from its address; the image has no protected mode.
    const from = ['--bind', address, '--bind-source-addr', address, '--protected-mode', 'no']
    const [program = '', ...args] = command
    const here = ['--dir', temporaryFiles()]
    return start({
      command: program,
      args: [...args, ...from, ...here],
      ready: { log: 'Ready to accept connections' },
    })
  }

  it('lets the guest book write on while a master is killed', async () => {
    // All of 127.0.0.0/8 is this machine; another run of this spec has most likely another part of it.
    const network = `127.${100 + (process.pid % 100)}.${process.pid % 251}.`
    const services = servicesAt(network)
    const servers = new Map<string, Child>()
    for (const name of SERVERS) servers.set(name, await startServer(services[name] as Service))
    const [cli = '', ...create] = services['create']?.command ?? []
    const made = await runChild(cli, create)
    expect(made.stdout).to.include('[OK] All 16384 slots covered.')
    const [port, webPort] = [await freePort(), await freePort()]
    const bin = await startBin([], {
      ...services['ambassador']?.environment,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
    })
    children.push(bin)
    await start({
      command: process.execPath,
      args: [join(packageDirectory(), 'examples/app/server.js')],
      env: { REDIS_URL: `redis://127.0.0.1:${port}`, PORT: `${webPort}` },
      ready: { log: 'guest book on' },
    })
    const url = `http://127.0.0.1:${webPort}/notes`
    const write = async (body: string) => (await fetch(url, { method: 'POST', body })).status
    expect(await write('before')).to.equal(201)
    // What no replica has is lost with its master: all that was written before is with one then.
    const client = await connectRaw(port)
    await until(async () => {
      await client.request('SET', 'last', 'word')
      return String(await client.request('WAIT', '1', '100')) === ':1\r\n'
    }, 100)
    const masters = await runChild('redis-cli', ['-h', `${network}11`, 'cluster', 'nodes'])
    const isMaster = new RegExp(`${network.replaceAll('.', '\\.')}11:6379@\\S+ myself,master`)
    expect(masters.stdout).to.match(isMaster)
    await servers.get('redis-1')?.kill('SIGKILL')
    // On a busy machine an election may take longer than one request may.
    await until(async () => (await write('after')) === 201, 100)
    await until(() => bin.output.includes(`${network}11:6379 -> `), 100)
    await until(async () => (await fetch(url)).status === 200, 100)
    const notes = (await (await fetch(url)).json()) as { text: string }[]
    const texts = notes.map(({ text }) => text)
    expect(texts[0]).to.equal('after')
    expect(texts.at(-1)).to.equal('before')
    expect(bin.output).to.include('cluster map changed')
    await client.close()
  })
})
