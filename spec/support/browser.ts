/** Debian's Chromium, driven by playwright-core: pages that note whatever the browser complains about. */
import { type Browser, chromium, type Page } from 'playwright-core'

export type { Page } from 'playwright-core'

/** Where Debian's package puts it. */
const CHROMIUM = '/usr/bin/chromium'

/** No sandbox: specs run as root in containers. And nothing of its own over the network. */
const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
}

/** A page, and what the browser found wrong with it: console errors, exceptions, breaches of its policy. */
export interface WatchedPage {
  readonly page: Page
  complaints(): Promise<string[]>
}

export class BrowserUnderTest {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  static async launch(): Promise<BrowserUnderTest> {
    return new BrowserUnderTest(
      await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS }),
    )
  }

  async open(url: string, { colorScheme = 'light', width = 1280 }: PageOptions = {}) {
    const context = await this.#browser.newContext({
      colorScheme,
      viewport: { width, height: 900 },
    })
    const page = await context.newPage()
    const noted: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') noted.push(message.text())
    })
    page.on('pageerror', ({ message }) => noted.push(message))
    await page.addInitScript(`
      window.breaches = []
      addEventListener('securitypolicyviolation', (event) => {
        window.breaches.push(event.violatedDirective + ' ' + event.blockedURI)
      })
    `)
    await page.goto(url)
    const complaints = async (): Promise<string[]> => {
      return [...noted, ...(await page.evaluate<string[]>('window.breaches'))]
    }
    return { page, complaints } satisfies WatchedPage
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }
}
