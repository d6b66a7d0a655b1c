/**
 * examples/sentinel: its compose file, read by docker-compose where there is one, and its commands run
 * without containers, at addresses of this machine.
 */
import { execFileSync } from 'node:child_process'
import { expect } from 'chai'
import type { Child } from '../support/child.ts'
import { ComposeExample, type Service } from '../support/compose-example.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

describe('examples/sentinel', () => {
  const example = new ComposeExample('sentinel', '172.28.0.')

  afterEach(() => example.stop())

  it('is a compose file, where there is a docker-compose', () => {
    example.expectValid()
  })

  it('sets variables that the ambassador knows', () => {
    example.expectKnownVariables()
  })

  /** Starts what the service starts, at the service's address. */
  function start(service: Service | undefined): Promise<Child> {
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
    return example.start({ command: program, args, ready: { log } })
  }

  it('lets the guest book write on while its master is killed, and reads from replicas', async () => {
    const { ambassador: _, app: __, ...servers } = example.services
    const byName = new Map<string, Child>()
    for (const [name, service] of Object.entries(servers)) byName.set(name, await start(service))
    const { bin, port, url } = await example.startApp()
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
    expect(bin.output).to.include(`${example.here}11:6379`)
  })
})
