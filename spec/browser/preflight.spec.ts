/** The dashboard while another configuration is rehearsed, in a real browser. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { BrowserUnderTest } from '../support/browser.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

describe('the dashboard during a rehearsal', () => {
  let browser: BrowserUnderTest
  let redis: RedisServer

  before(async () => {
    redis = await startRedis()
    browser = await BrowserUnderTest.launch()
  })
  after(async () => {
    await browser.close()
    await redis.stop()
  })

  async function opened(flags: Readonly<Record<string, string>>) {
    const config = configFor([redis], { adminListen: '127.0.0.1:0', ...flags })
    const ambassador = await startAmbassador(config, SILENT)
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    await client.request('MSETNX', 'cart:1', 'x', 'cart:2', 'x', 'cart:3', 'x')
    await client.request('GET', 'cart:1')
    const { adminAddress } = ambassador
    const port = typeof adminAddress === 'object' ? adminAddress.port : 0
    const { page } = await browser.open(`http://127.0.0.1:${port}/`)
    return { page, close: async () => Promise.all([client.close(), ambassador.stop()]) }
  }

  it('shows what would be refused, why, and what helps', async () => {
    const { page, close } = await opened({ whatIf: 'a=h1:1,b=h2:1,c=h3:1', showKeys: 'clear' })
    await page.locator('#preflight tbody tr').waitFor()
    const row = await page.locator('#preflight tbody tr').innerText()
    expect(row).to.match(/^refused\s+MSETNX\s+1\s+its keys are on several places/)
    expect(row).to.include('route by prefix (cart:)').and.to.include('cart:<n>')
    const summary = await page.locator('#preflight-summary').innerText()
    expect(summary).to.equal('1 pass, 0 split, 0 combined, 1 refused')
    expect(await page.locator('#preflight-of').innerText()).to.include('if it were h1:1,h2:1,h3:1')
    await close()
  })

  it('has nothing of it where nothing is rehearsed', async () => {
    const { page, close } = await opened({})
    await page.locator('#commands tbody tr').first().waitFor()
    expect(await page.locator('#preflight-section').isVisible()).to.equal(false)
    await close()
  })
})
