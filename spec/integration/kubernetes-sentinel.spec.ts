/** examples/kubernetes/overlays/staging-sentinel: a pod of it follows masters that move. */
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { Overlay } from '../support/overlay.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'secret-of-the-shards'

describe('examples/kubernetes over Sentinel', () => {
  const overlay = new Overlay('staging-sentinel')

  it('is what kubectl makes of it, where there is a kubectl', () => {
    overlay.expectAsKubectl()
  })

  it('serves the masters of the moment, before and after they move', async () => {
    const { shards, sentinels: _, ...others } = parse(overlay.config['staging.yaml'] ?? '')
    const masters = (shards as { url: string }[]).map(({ url }) => new URL(url).host)
    const world = await startSentinels({
      masters: Object.fromEntries(masters.map((name) => [name, 1])),
      serverPassword: PASSWORD,
    })
    // Its sentinels where they are here; the names stay.
    const sentinels = world.addresses.split(',')
    const staging = stringify({ ...others, shards, sentinels })
    const { bin, port } = await overlay.start({ 'staging.yaml': staging }, PASSWORD)
    expect(bin.output).to.include('"environment":"staging"')
    const client = await connectRaw(port)
    const keys = Array.from({ length: 40 }, (_, i) => `user:${i}`)
    const write = async () => {
      const replies = await Promise.all(keys.map((key) => client.request('SET', key, 'v')))
      return replies.every((reply) => String(reply) === '+OK\r\n')
    }
    await until(write, 50)
    await until(() => bin.output.split('replica is read from').length > masters.length, 50)
    const reader = await connectRaw(port)
    await Promise.all(keys.map((key) => reader.request('GET', key)))
    await reader.close()
    for (const name of masters) {
      const replica = await connectRaw(world.servers(name)[1]?.port ?? 0)
      await replica.request('AUTH', PASSWORD)
      expect(String(await replica.request('INFO', 'commandstats'))).to.include('cmdstat_get:')
      await replica.close()
    }
    for (const name of masters) await world.failOver(name)
    await until(() => bin.output.split('shard has another server').length > 2 * masters.length, 50)
    await until(write, 50)
    expect(String(await client.request('DBSIZE'))).to.equal(`:${keys.length}\r\n`)
    expect(bin.output).to.not.include(PASSWORD)
    await client.close()
    await bin.kill('SIGTERM')
    await world.stop()
  })
})
