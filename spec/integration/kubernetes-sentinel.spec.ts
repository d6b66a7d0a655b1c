/** examples/kubernetes/overlays/staging-sentinel: a pod of it follows masters that move. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { startBin } from '../support/bin.ts'
import { manifestsOf, renderKustomization } from '../support/kustomize.ts'
import { containersOf, layOut, templateOf } from '../support/pod.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

const NAMESPACE = 'staging-sentinel'
const DIRECTORY = join(packageDirectory(), 'examples/kubernetes/overlays', NAMESPACE)
const PASSWORD = 'secret-of-the-shards'

describe('examples/kubernetes over Sentinel', () => {
  const manifests = renderKustomization(DIRECTORY)
  const config = manifests.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Record<
    string,
    string
  >

  it('is what kubectl makes of it, where there is a kubectl', () => {
    try {
      const text = String(execFileSync('kubectl', ['kustomize', DIRECTORY], { stdio: 'pipe' }))
      expect(manifestsOf(text)).to.have.deep.members(manifests)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  })

  it('serves the masters of the moment, before and after they move', async () => {
    const { shards, sentinels: _, ...others } = parse(config['staging.yaml'] ?? '')
    const masters = (shards as { url: string }[]).map(({ url }) => new URL(url).host)
    const world = await startSentinels({
      masters: Object.fromEntries(masters.map((name) => [name, 1])),
      serverPassword: PASSWORD,
    })
    const workload = manifests.find(({ kind }) => kind === 'Deployment')
    if (workload === undefined) throw new Error('no workload')
    const template = templateOf(workload)
    const container = containersOf(template).find(({ name }) => name === 'redis-ambassador')
    if (container === undefined) throw new Error('no ambassador')
    const { variables, mounts } = layOut(template, container, {
      namespace: NAMESPACE,
      configMaps: {
        'redis-ambassador': {
          ...config,
          // Its sentinels where they are here; the names stay.
          'staging.yaml': stringify({ ...others, shards, sentinels: world.addresses.split(',') }),
        },
      },
      secrets: { 'redis-shards': { password: PASSWORD } },
    })
    const port = await freePort()
    const bin = await startBin([], {
      NODE_ENV: 'production',
      ...variables,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
      AMBASSADOR_ENVIRONMENT_DIRECTORY: mounts.get('/etc/podinfo') ?? '/nonexistent',
    })
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
