/** examples/kubernetes/overlays/production-cluster: a pod of it serves a Redis Cluster. */
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { startCluster } from '../support/cluster.ts'
import { Overlay } from '../support/overlay.ts'
import { templateOf } from '../support/pod.ts'
import { connectRaw } from '../support/raw-client.ts'

const PASSWORD = 'secret-of-the-shards'

describe('examples/kubernetes over a Redis Cluster', () => {
  const overlay = new Overlay('production-cluster')

  it('is what kubectl makes of it, where there is a kubectl', () => {
    overlay.expectAsKubectl()
  })

  it('has the images and the application of dev, where there is one Redis', () => {
    const dev = new Overlay('dev')
    expect(templateOf(overlay.workload)).to.deep.equal(templateOf(dev.workload))
  })

  it('serves a cluster whose nodes ask for the password of the Secret', async () => {
    const { shards, ...others } = parse(overlay.config['production.yaml'] ?? '')
    expect(shards).to.match(/^redis\+cluster:\/\/[\w.-]+:6379$/)
    const cluster = await startCluster({ password: PASSWORD })
    // Its nodes where they are here.
    const production = stringify({ ...others, shards: `redis+cluster://${cluster.addresses}` })
    const { bin, port } = await overlay.start({ 'production.yaml': production }, PASSWORD)
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
