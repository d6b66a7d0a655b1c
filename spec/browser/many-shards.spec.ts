/** The dashboard with 64 shards: everything is there, and can be sorted, pointed at and read. */
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { BrowserUnderTest, type Page } from '../support/browser.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const SHARDS = 64

describe('the dashboard with 64 shards', () => {
  let browser: BrowserUnderTest
  let redis: RedisServer
  let ambassador: Ambassador
  let url: string

  before(async () => {
    browser = await BrowserUnderTest.launch()
    redis = await startRedis()
    // One Redis under many names: what counts here is the page.
    const shards = Array.from({ length: SHARDS }, (_, at) => {
      return `redis-${at}=127.0.0.1:${redis.port}*${1 + (at % 4)}`
    })
    const flags = { adminListen: '127.0.0.1:0', shards: shards.join(',') }
    ambassador = await startAmbassador(configFor([], flags), SILENT)
    const { adminAddress } = ambassador
    url = `http://127.0.0.1:${typeof adminAddress === 'object' ? adminAddress.port : 0}/`
  })

  after(async () => {
    await browser.close()
    await ambassador.stop()
    await redis.stop()
  })

  async function names(page: Page): Promise<(string | null)[]> {
    const rows = await page.locator('#shards tbody tr').all()
    return Promise.all(rows.map((row) => row.getAttribute('data-shard')))
  }

  it('has a row and an arc for each', async () => {
    const { page, complaints } = await browser.open(url)
    await page.locator(`#shards tbody tr >> nth=${SHARDS - 1}`).waitFor({ state: 'attached' })
    await page.locator(`.ring path[tabindex] >> nth=${SHARDS - 1}`).waitFor({ state: 'attached' })
    expect(await names(page)).to.deep.equal(
      Array.from({ length: SHARDS }, (_, at) => `redis-${at}`),
    )
    expect(await page.locator('.ring path[tabindex]').count()).to.equal(SHARDS)
    // The points of the continuum: far more arcs than shards.
    expect(await page.locator('.ring path:not([tabindex])').count()).to.be.above(4 * SHARDS)
    expect(await complaints()).to.deep.equal([])
  })

  it('sorts by a column, the other way round, and as configured again', async () => {
    const { page } = await browser.open(url)
    await page.locator(`#shards tbody tr >> nth=${SHARDS - 1}`).waitFor({ state: 'attached' })
    const asConfigured = await names(page)
    const heading = page.locator('#shards th.share')
    await heading.locator('button').click()
    expect(await heading.getAttribute('aria-sort')).to.equal('descending')
    const shares = async () => {
      const texts = await page.locator('#shards td.share').allTextContents()
      return texts.map((text) => Number.parseFloat(text))
    }
    const falling = await shares()
    expect(falling).to.deep.equal([...falling].sort((a, b) => b - a))
    expect(falling[0]).to.be.above(falling.at(-1) ?? 0)
    await heading.locator('button').click()
    expect(await heading.getAttribute('aria-sort')).to.equal('ascending')
    expect(await shares()).to.deep.equal([...falling].reverse())
    await heading.locator('button').click()
    expect(await heading.getAttribute('aria-sort')).to.equal('none')
    expect(await names(page)).to.deep.equal(asConfigured)
  })

  it('names the arc under the pointer or with the focus, and marks its row', async () => {
    const { page } = await browser.open(url)
    await page.locator(`.ring path[tabindex] >> nth=${SHARDS - 1}`).waitFor({ state: 'attached' })
    await page.locator('.ring path[tabindex][data-shard="redis-7"]').focus()
    expect(await page.textContent('.ring-name')).to.equal('redis-7')
    expect(await page.textContent('.ring-facts')).to.match(/^\d\.\d % of the ring$/)
    await page.locator('tr.looked-at[data-shard="redis-7"]').waitFor()
    await page.locator('tr[data-shard="redis-9"] th').hover()
    expect(await page.textContent('.ring-name')).to.equal('redis-9')
  })

  it('goes on answering while it shows the figures of a busy second', async () => {
    const { page } = await browser.open(url, { width: 390 })
    await page.locator(`#shards tbody tr >> nth=${SHARDS - 1}`).waitFor({ state: 'attached' })
    await page.fill('#route-key', 'user:1')
    await page.locator('.route-shard strong', { hasText: /^redis-\d+$/ }).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(390)
  })
})
