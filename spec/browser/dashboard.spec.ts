/** The dashboard in a real browser, in front of real Redis servers: it shows what is so. */
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { configFor, keysOn, SILENT } from '../support/ambassador.ts'
import { BrowserUnderTest, type Page } from '../support/browser.ts'
import { http } from '../support/http.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const flags = { adminListen: '127.0.0.1:0' }

function portOf(address: Ambassador['adminAddress']): number {
  return typeof address === 'object' ? address.port : 0
}

/** Waits until an element shows just this; mocha's time-out is the bound. */
async function shows(page: Page, selector: string, wanted: string): Promise<void> {
  const hasText = new RegExp(`^${wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
  await page.locator(selector).filter({ hasText }).waitFor({ state: 'attached' })
}

/** `12,345` as it is shown. */
function shown(count: number): string {
  return count.toLocaleString('en')
}

describe('the dashboard', () => {
  let browser: BrowserUnderTest
  const redises: RedisServer[] = []
  let ambassador: Ambassador
  let url: string

  before(async () => {
    browser = await BrowserUnderTest.launch()
    for (let i = 0; i < 3; i++) redises.push(await startRedis())
  })

  after(async () => {
    await browser.close()
    for (const redis of redises) await redis.stop()
  })

  beforeEach(async () => {
    ambassador = await startAmbassador(configFor(redises, flags), SILENT)
    url = `http://127.0.0.1:${portOf(ambassador.adminAddress)}/`
  })

  afterEach(() => ambassador.stop())

  async function stats() {
    const { body } = await http({ port: portOf(ambassador.adminAddress), path: '/stats' })
    return JSON.parse(body)
  }

  async function connectClient() {
    const [address] = ambassador.addresses
    return connectRaw(typeof address === 'object' ? address.port : 0)
  }

  it('shows the numbers of /stats', async () => {
    const client = await connectClient()
    for (let i = 0; i < 60; i++) await client.request('SET', `k${i}`, 'text')
    for (let i = 0; i < 40; i++) await client.request('GET', `k${i}`)
    for (let i = 0; i < 7; i++) await client.request('INCR', `k${i}`)
    await client.request('MGET', 'k1', 'k2', 'k3', 'k4')
    const { page } = await browser.open(url)
    await shows(page, '#total-requests', '108')
    await shows(page, '#total-errors', '7')
    await shows(page, '#now-clients', '1')
    await page.waitForSelector('#commands tbody tr >> nth=3')
    const told = await stats()
    expect(told.requests).to.equal(108)
    for (const { name, address, requests, errors } of told.shards) {
      const row = page.locator(`tr[data-shard="${name}"]`)
      expect(await row.locator('.address').first().textContent()).to.equal(address)
      expect(await row.locator('.requests').textContent()).to.equal(shown(requests))
      expect(await row.locator('.errors').textContent()).to.equal(shown(errors.shard))
      expect(await row.locator('.state').innerText()).to.contain('up')
      // Asked of the Redis in the background, because we look.
      await row.locator('.memory', { hasText: /\d (?:KB|MB)$/ }).waitFor()
    }
    const column = (at: number) => page.locator(`#commands td:nth-child(${at})`).allTextContents()
    expect(await column(1)).to.deep.equal(['SET', 'GET', 'INCR', 'MGET'])
    expect(await column(2)).to.deep.equal(['60', '40', '7', '1'])
    expect(await column(4)).to.deep.equal(['0', '0', '7', '0'])
    expect(await page.textContent('#version')).to.equal(told.version)
    expect(await page.textContent('#environment')).to.equal(told.environment.name)
    await client.close()
  })

  it('draws the last minutes', async () => {
    const client = await connectClient()
    await client.request('SET', 'k', 'text')
    const { page } = await browser.open(url)
    const rates = page.locator('#rate-chart svg[role="img"]')
    await rates.locator('.line[d^="M"]').waitFor({ state: 'attached' })
    expect(await rates.getAttribute('aria-label')).to.match(
      /^Requests per second, last five minutes: \d+ requests, 0 errors$/,
    )
    await page.locator('#latency-chart .line.p99[d^="M"]').waitFor({ state: 'attached' })
    await client.close()
  })

  it('lists slow requests, hot keys and big replies, or says that there are none', async () => {
    await ambassador.stop()
    const options = { ...flags, hotKeys: 'yes', slowRequestMs: '20', bigReplyBytes: '100000' }
    ambassador = await startAmbassador(configFor(redises, options), SILENT)
    url = `http://127.0.0.1:${portOf(ambassador.adminAddress)}/`
    const quiet = await browser.open(url)
    await shows(quiet.page, '#slow', 'No request took 20 ms or more.')
    await shows(quiet.page, '#hot', 'No key stands out.')
    await shows(quiet.page, '#big', 'No reply had 97.7 KB or more.')
    const client = await connectClient()
    const busy = "local t = redis.call('TIME') local e = t[1] * 1000000 + t[2] + 50000 "
    const wait = "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > e"
    await client.request('EVAL', busy + wait, '1', 'report')
    await client.request('SET', 'blob', 'x'.repeat(150_000))
    await client.request('GET', 'blob')
    for (let i = 0; i < 3000; i++) await client.request('GET', 'hot')
    const { page } = await browser.open(url)
    const slow = page.locator('#slow tbody tr', { hasText: 'EVAL' })
    await slow.waitFor()
    expect(await slow.locator('.key').textContent()).to.match(/^hash:0x[0-9a-f]{8}$/)
    await page.locator('#big tbody tr', { hasText: '146 KB' }).waitFor()
    const { hashValue } = JSON.parse(
      (await http({ port: portOf(ambassador.adminAddress), path: '/route?key=hot' })).body,
    )
    const hottest = page.locator('#hot tbody tr >> nth=0').locator('.key')
    await hottest.waitFor()
    const hash = `hash:0x${hashValue.toString(16).padStart(8, '0')}`
    expect(await hottest.textContent()).to.equal(hash)
    await client.close()
  })

  it('shows a shard that was killed, and that it is back', async () => {
    const [, second] = redises
    const { page } = await browser.open(url)
    await shows(page, '#health-text', 'Healthy, all 3 shards up')
    const state = page.locator('tr[data-shard="b"] .state')
    const colour = () => {
      const cell = `document.querySelector('tr[data-shard="b"] .state')`
      return page.evaluate<string>(`getComputedStyle(${cell}).color`)
    }
    const colourUp = await colour()
    await second?.kill()
    await state.locator('text=down').waitFor()
    const [red = 0, green = 0, blue = 0] = (await colour()).match(/\d+/g)?.map(Number) ?? []
    expect(red).to.be.above(2 * Math.max(green, blue))
    await shows(page, '#health-text', '1 of 3 shards down: b')
    expect(await page.title()).to.contain('1 of 3 shards down: b')
    await page.locator('path.arc.down[aria-label^="b,"][aria-label$=", down"]').waitFor()
    await second?.restart()
    await state.locator('text=up').waitFor()
    expect(await colour()).to.equal(colourUp)
    await shows(page, '#health-text', 'Healthy, all 3 shards up')
  })

  it('tells where a key goes, as the router does, whatever bytes it has', async () => {
    const { page } = await browser.open(url)
    const [onA = '', onB = '', onC = ''] = [0, 1, 2].map((at) => keysOn(at, 3)[0])
    const keys = [onA, onB, onC, `cart:{${onB}}:x`, 'ключ', '?&=+%41 #/', ' ', '\\x41']
    for (const key of keys) await finds(page, Buffer.from(key), key)
    await page.check('#route-escapes')
    await finds(page, Buffer.from([0, 0xff, 0x0d, 0x0a, 0x7b, 0x5c]), '\\x00\\xff\\r\\n{\\\\')
    await finds(page, Buffer.from('ключA'), 'ключ\\x41')
    expect(await page.getAttribute('.needle', 'visibility')).to.equal('visible')
    await page.fill('#route-key', '')
    await shows(page, '#route-answer', '')
  })

  /** The page finds the shard that AMBASSADOR ROUTE names. */
  async function finds(page: Page, key: Buffer, typed: string): Promise<void> {
    const client = await connectClient()
    const reply = String(await client.request('AMBASSADOR', 'ROUTE', key))
    await client.close()
    // What the page says of the key before must not be taken for its answer.
    await page.fill('#route-key', '')
    await shows(page, '#route-answer', '')
    await page.fill('#route-key', typed)
    await page.click('text=Find')
    const [, name] = /shard\r\n\$\d+\r\n(.*?)\r\n/.exec(reply) ?? []
    expect(name, reply).to.be.oneOf(['a', 'b', 'c'])
    const bytes = page.locator('.route-why', { hasText: new RegExp(`\\b${key.length} bytes`) })
    await bytes.waitFor()
    expect(await page.textContent('.route-shard strong'), typed).to.equal(name)
  }

  it('says when the ambassador is gone, and goes on when it is back', async () => {
    const { page } = await browser.open(url)
    await shows(page, '#link', 'live')
    const port = portOf(ambassador.adminAddress)
    await ambassador.stop()
    await shows(page, '#link', 'no answer, trying again')
    const config = configFor(redises, { ...flags, adminListen: `127.0.0.1:${port}` })
    ambassador = await startAmbassador(config, SILENT)
    await shows(page, '#link', 'live')
  })

  it('follows a reload', async () => {
    const { page } = await browser.open(url)
    await page.locator('.ring path[tabindex] >> nth=2').waitFor({ state: 'attached' })
    ambassador.reload(configFor(redises.slice(0, 2), flags))
    await shows(page, '#health-text', 'Healthy, all 2 shards up')
    await page.locator('.ring path[tabindex] >> nth=2').waitFor({ state: 'detached' })
    expect(await page.locator('#shards tbody tr').count()).to.equal(2)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      it(`gives the browser nothing to complain of, ${colorScheme}, ${width} pixels wide`, async () => {
        const { page, complaints } = await browser.open(url, { colorScheme, width })
        await shows(page, '#link', 'live')
        await page.locator('.ring path[tabindex] >> nth=2').waitFor({ state: 'attached' })
        const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
        const [red = 0] = paper.match(/\d+/g)?.map(Number) ?? []
        if (colorScheme === 'light') expect(red).to.be.above(200)
        else expect(red).to.be.below(60)
        // The page itself never scrolls sideways; wide tables scroll on their own.
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(width)
        await page.click('#theme')
        await page.click('#theme')
        await shows(page, '#theme', 'Theme: dark')
        expect(await complaints()).to.deep.equal([])
      })
    }
  }

  it('gives every control, picture and table cell that needs one a name', async () => {
    const { page } = await browser.open(url)
    await page.locator('.ring path[tabindex] >> nth=2').waitFor({ state: 'attached' })
    const nameless = await page.evaluate<string[]>(`
      [...document.querySelectorAll('a, button, input, select, textarea, [tabindex], [role=img]')]
        .filter((control) => {
          const labels = [...(control.labels ?? [])].map((label) => label.textContent).join('')
          const name = control.getAttribute('aria-label') ?? ''
          return (name + labels + control.textContent).trim() === ''
        })
        .map((control) => control.outerHTML)
    `)
    expect(nameless).to.deep.equal([])
    const headings = await page.locator('h1, h2').allTextContents()
    expect(headings.every((text) => text.trim() !== '')).to.equal(true)
    expect(await page.locator('h1').count()).to.equal(1)
  })
})
