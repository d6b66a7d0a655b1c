/** examples/kubernetes/overlays/production-cluster: a pod of it serves a Redis Cluster. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { startBin } from '../support/bin.ts'
import { startCluster } from '../support/cluster.ts'
import { manifestsOf, renderKustomization } from '../support/kustomize.ts'
import { containersOf, layOut, templateOf } from '../support/pod.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'

const NAMESPACE = 'production-cluster'
const OVERLAYS = join(packageDirectory(), 'examples/kubernetes/overlays')
const PASSWORD = 'secret-of-the-shards'

describe('examples/kubernetes over a Redis Cluster', () => {
  const manifests = renderKustomization(join(OVERLAYS, NAMESPACE))
  const config = manifests.find(({ kind }) => kind === 'ConfigMap')?.['data'] as Record<
    string,
    string
  >
  const workload = manifests.find(({ kind }) => kind === 'Deployment')

  it('is what kubectl makes of it, where there is a kubectl', () => {
    try {
      const directory = join(OVERLAYS, NAMESPACE)
      const text = String(execFileSync('kubectl', ['kustomize', directory], { stdio: 'pipe' }))
      expect(manifestsOf(text)).to.have.deep.members(manifests)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  })

  it('has the images and the application of dev, where there is one Redis', () => {
    const dev = renderKustomization(join(OVERLAYS, 'dev')).find(({ kind }) => kind === 'Deployment')
    if (dev === undefined || workload === undefined) throw new Error('no workload')
    expect(templateOf(workload)).to.deep.equal(templateOf(dev))
  })

  it('serves a cluster whose nodes ask for the password of the Secret', async () => {
    const { shards, ...others } = parse(config['production.yaml'] ?? '')
    expect(shards).to.match(/^redis\+cluster:\/\/[\w.-]+:6379$/)
    const cluster = await startCluster({ password: PASSWORD })
    if (workload === undefined) throw new Error('no workload')
    const template = templateOf(workload)
    const container = containersOf(template).find(({ name }) => name === 'redis-ambassador')
    if (container === undefined) throw new Error('no ambassador')
    const { variables, mounts } = layOut(template, container, {
      namespace: NAMESPACE,
      configMaps: {
        'redis-ambassador': {
          ...config,
          // Its nodes where they are here.
          'production.yaml': stringify({
            ...others,
            shards: `redis+cluster://${cluster.addresses}`,
          }),
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
    expect(bin.output).to.include('"environment":"production"')
    const client = await connectRaw(port)
    const pairs = Array.from({ length: 40 }, (_, i) => [`user:${i}`, 'v']).flat()
    expect(String(await client.request('MSET', ...pairs))).to.equal('+OK\r\n')
    expect(String(await client.request('DBSIZE'))).to.equal(':40\r\n')
    expect(bin.output).to.not.include(PASSWORD)
    await client.close()
    await bin.kill('SIGTERM')
    await cluster.stop()
  })
})
