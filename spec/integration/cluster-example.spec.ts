/**
 * examples/cluster: its compose file, read by docker-compose where there is one, and its commands run
 * without containers, at addresses of this machine.
 */
import { expect } from 'chai'
import { type Child, runChild } from '../support/child.ts'
import { ComposeExample, type Service } from '../support/compose-example.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

const SERVERS = ['redis-1', 'redis-2', 'redis-3', 'redis-4', 'redis-5', 'redis-6']

describe('examples/cluster', () => {
  const example = new ComposeExample('cluster', '172.28.1.')

  afterEach(() => example.stop())

  it('is a compose file, where there is a docker-compose', () => {
    example.expectValid()
  })

  it('sets variables that the ambassador knows', () => {
    example.expectKnownVariables()
  })

  /** Starts what the service starts, at the service's address. */
  function startServer({ command = [], networks }: Service): Promise<Child> {
    const address = networks.redis.ipv4_address
    // In a container everything that it sends comes from its address; the image has no protected mode.
    const from = ['--bind', address, '--bind-source-addr', address, '--protected-mode', 'no']
    const [program = '', ...args] = command
    const here = ['--dir', temporaryFiles()]
    return example.start({
      command: program,
      args: [...args, ...from, ...here],
      ready: { log: 'Ready to accept connections' },
    })
  }

  it('lets the guest book write on while a master is killed', async () => {
    const { here, services } = example
    const servers = new Map<string, Child>()
    for (const name of SERVERS) servers.set(name, await startServer(services[name] as Service))
    const [cli = '', ...create] = services['create']?.command ?? []
    const made = await runChild(cli, create)
    expect(made.stdout).to.include('[OK] All 16384 slots covered.')
    const { bin, port, url } = await example.startApp()
    const write = async (body: string) => (await fetch(url, { method: 'POST', body })).status
    expect(await write('before')).to.equal(201)
    // What no replica has is lost with its master: all that was written before is with one then.
    const client = await connectRaw(port)
    await until(async () => {
      await client.request('SET', 'last', 'word')
      return String(await client.request('WAIT', '1', '100')) === ':1\r\n'
    }, 100)
    const masters = await runChild('redis-cli', ['-h', `${here}11`, 'cluster', 'nodes'])
    const isMaster = new RegExp(`${here.replaceAll('.', '\\.')}11:6379@\\S+ myself,master`)
    expect(masters.stdout).to.match(isMaster)
    await servers.get('redis-1')?.kill('SIGKILL')
    // On a busy machine an election may take longer than one request may.
    await until(async () => (await write('after')) === 201, 100)
    await until(() => bin.output.includes(`${here}11:6379 -> `), 100)
    await until(async () => (await fetch(url)).status === 200, 100)
    const notes = (await (await fetch(url)).json()) as { text: string }[]
    const texts = notes.map(({ text }) => text)
    expect(texts[0]).to.equal('after')
    expect(texts.at(-1)).to.equal('before')
    expect(bin.output).to.include('cluster map changed')
    await client.close()
  })
})
