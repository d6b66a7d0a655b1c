/** A real browser with hostile names on the dashboard, and with a hostile page beside it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { ADMIN_STREAMS_MAX } from '../../lib/limits.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { BrowserUnderTest } from '../support/browser.ts'
import { EventStream } from '../support/event-stream.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

/** What would run, or at least become an element, if it were taken for HTML. */
const HTML = '<img/src=x/onerror=alert(1)>"\'<script>alert(2)</script><marquee>'

describe('a browser', () => {
  let browser: BrowserUnderTest
  let redis: RedisServer
  let ambassador: Ambassador
  let port: number

  before(async () => {
    browser = await BrowserUnderTest.launch()
    redis = await startRedis()
  })

  after(async () => {
    await browser.close()
    await redis.stop()
  })

  beforeEach(async () => {
    const flags = { adminListen: '127.0.0.1:0', showKeys: 'clear', hotKeys: 'yes' }
    const config = configFor([redis, redis], { ...flags, bigReplyBytes: '1', slowRequestMs: '5' })
    const [pool] = config.pools
    const [first, ...others] = pool.shards
    if (first === undefined) throw new Error('a configuration without shards')
    const environment = { ...config.process.environment, name: HTML }
    const shards = [{ ...first, name: HTML }, ...others]
    ambassador = await startAmbassador(
      { ...config, process: { ...config.process, environment }, pools: [{ ...pool, shards }] },
      SILENT,
    )
    ambassador.steerBy({
      reload: () => ({ changed: ['steered'], afterRestart: [] }),
      drain: () => void ambassador.stop(),
    })
    const { adminAddress } = ambassador
    port = typeof adminAddress === 'object' ? adminAddress.port : 0
  })

  afterEach(() => ambassador.stop())

  async function useKeys(): Promise<void> {
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    await client.request('SET', HTML, 'text')
    for (let i = 0; i < 2500; i++) await client.request('GET', HTML)
    const busy = "local t = redis.call('TIME') local e = t[1] * 1000000 + t[2] + 20000 "
    const wait = "repeat t = redis.call('TIME') until t[1] * 1000000 + t[2] > e"
    await client.request('EVAL', busy + wait, '1', HTML)
    await client.close()
  }

  it('shows names of shards, environments and keys as text, whatever they look like', async () => {
    await useKeys()
    const { page, complaints } = await browser.open(`http://127.0.0.1:${port}/`)
    const asked: string[] = []
    page.on('dialog', (dialog) => {
      asked.push(dialog.message())
      void dialog.dismiss()
    })
    for (const list of ['slow', 'hot', 'big']) {
      const key = page.locator(`#${list} tbody tr >> nth=0`).locator('.key')
      expect(await key.textContent(), list).to.equal(HTML)
    }
    expect(await page.textContent('#environment')).to.equal(HTML)
    await page.locator('#shards tbody', { hasText: HTML }).waitFor()
    await page.fill('#route-key', HTML)
    await page.click('#route .find')
    await page.locator('#route-answer', { hasText: /\S/ }).waitFor()
    const foreign = 'document.querySelectorAll("img, marquee, body script, iframe").length'
    expect(await page.evaluate(foreign)).to.equal(0)
    expect([asked, await complaints()]).to.deep.equal([[], []])
  })

  it('lets no page of another origin read, load or steer anything, or take what others need', async () => {
    const admin = `http://127.0.0.1:${port}`
    const hostile = createServer((_, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>hostile</title>')
    })
    hostile.listen(0, '127.0.0.1')
    await once(hostile, 'listening')
    // The same address, another port: the same site, and another origin.
    const { port: hostilePort } = hostile.address() as AddressInfo
    const { page } = await browser.open(`http://127.0.0.1:${hostilePort}/`)
    const read = await page.evaluate<string[]>(`(async () => {
      const admin = ${JSON.stringify(admin)}
      const outcomes = []
      const note = (what) => (value) => outcomes.push(what + ' ' + value)
      for (const path of ['/stats', '/hotkeys', '/config', '/metrics', '/events']) {
        await fetch(admin + path).then(note('read'), () => {})
        await fetch(admin + path, { mode: 'no-cors' }).then(async (response) => {
          if ((await response.text()) !== '') outcomes.push('read ' + path)
        }, () => {})
      }
      for (let i = 0; i < 5; i++) void fetch(admin + '/events', { mode: 'no-cors' }).catch(() => {})
      for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
        const body = new Blob([], { type })
        await fetch(admin + '/drain', { method: 'POST', mode: 'no-cors', body }).catch(() => {})
        navigator.sendBeacon(admin + '/drain', body)
      }
      for (const [tag, path] of [['script', '/dashboard/main.js'], ['img', '/dashboard/icon.svg']]) {
        await new Promise((resolve) => {
          const element = document.createElement(tag)
          element.onload = () => resolve(outcomes.push('loaded ' + path))
          element.onerror = resolve
          element.src = admin + path
          document.body.append(element)
        })
      }
      return outcomes
    })()`)
    expect(read).to.deep.equal([])
    // While that page is open.
    const streams: EventStream[] = []
    for (let i = 0; i < ADMIN_STREAMS_MAX; i++) streams.push(await EventStream.open(port))
    for (const stream of streams) expect((await stream.next('stats')).draining).to.equal(false)
    for (const stream of streams) await stream.close()
    hostile.close()
    hostile.closeAllConnections()
  })

  it('follows a link to the dashboard from anywhere', async () => {
    const { page } = await browser.open('data:text/html,<title>somewhere else</title>')
    await page.setContent(`<a href="http://127.0.0.1:${port}/">the dashboard</a>`)
    await page.click('a')
    await page.waitForSelector('#shards tbody tr')
    expect(await page.textContent('h1')).to.match(/^redis-ambassador/)
  })
})
