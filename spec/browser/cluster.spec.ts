/** The dashboard in front of a Redis Cluster, in a real browser. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { BrowserUnderTest } from '../support/browser.ts'
import { startCluster } from '../support/cluster.ts'
import { startRedis } from '../support/redis-server.ts'

describe('the dashboard in front of a cluster', () => {
  let browser: BrowserUnderTest

  before(async () => {
    browser = await BrowserUnderTest.launch()
  })
  after(() => browser.close())

  async function opened(shards: string) {
    const flags = { shards, adminListen: '127.0.0.1:0' }
    const ambassador = await startAmbassador(configFor([], flags), SILENT)
    const { adminAddress } = ambassador
    const port = typeof adminAddress === 'object' ? adminAddress.port : 0
    const { page } = await browser.open(`http://127.0.0.1:${port}/`)
    return { ambassador, page }
  }

  it('shows masters with their slots and replicas', async () => {
    const cluster = await startCluster({ replicas: 1 })
    const { ambassador, page } = await opened(`redis+cluster://${cluster.addresses}`)
    await page
      .locator('#cluster-summary')
      .filter({ hasText: /^3 masters$/ })
      .waitFor()
    await page.locator('#cluster tbody tr:nth-child(3)').waitFor()
    const text = await page.locator('#cluster').innerText()
    for (const server of cluster.servers) expect(text).to.include(server.address)
    expect(text).to.include('5,461')
    expect(await page.locator('#cluster-moves').innerText()).to.match(/^No redirects; 0 requests/)
    await ambassador.stop()
    await cluster.stop()
  })

  it('has nothing of it where shards are a ring', async () => {
    const redis = await startRedis()
    const { ambassador, page } = await opened(`a=127.0.0.1:${redis.port}`)
    await page.locator('#shards tbody tr').first().waitFor()
    expect(await page.locator('#cluster-section').isVisible()).to.equal(false)
    await ambassador.stop()
    await redis.stop()
  })
})
