/** A compose file of examples/ whose services run as processes on this machine, at addresses of its own. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { OPTION_NAMES, variableName } from '../../lib/config/schema.ts'
import { startBin } from './bin.ts'
import { type Child, startChild } from './child.ts'
import { freePort } from './ports.ts'

export interface Service {
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly networks: { readonly redis: { readonly ipv4_address: string } }
}

type Services = Readonly<Record<string, Service>>

export class ComposeExample {
  /**
   * The first bytes of the addresses on this machine, which has all of 127.0.0.0/8. Another run of a spec
   * most likely has another part of it.
   */
  readonly here = `127.${100 + (process.pid % 100)}.${process.pid % 251}.`
  readonly #file: string
  readonly #text: string
  readonly #network: string
  readonly #children: Child[] = []

  /** `network`: the first bytes of the addresses in the file, such as `172.28.1.`. */
  constructor(name: string, network: string) {
    this.#file = join(packageDirectory(), 'examples', name, 'docker-compose.yml')
    this.#text = readFileSync(this.#file, 'utf8')
    this.#network = network
  }

  /** The services, with addresses in `here`. */
  get services(): Services {
    return this.#servicesAt(this.here)
  }

  /** Expects docker-compose to take the file, if it is installed. */
  expectValid(): void {
    try {
      execFileSync('docker-compose', ['-f', this.#file, 'config', '-q'], { stdio: 'pipe' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  expectKnownVariables(): void {
    const { ambassador } = this.#servicesAt(this.#network)
    const variables = Object.keys(ambassador?.environment ?? {})
    expect(OPTION_NAMES.map(variableName)).to.include.members(variables)
  }

  /** Starts a process that ends with `stop`. */
  async start(options: Parameters<typeof startChild>[0]): Promise<Child> {
    const child = await startChild(options)
    this.#children.push(child)
    return child
  }

  /** Starts the ambassador and the guest book. `url`: its notes. */
  async startApp() {
    const [port, webPort] = [await freePort(), await freePort()]
    const bin = await startBin([], {
      ...this.services['ambassador']?.environment,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
    })
    this.#children.push(bin)
    await this.start({
      command: process.execPath,
      args: [join(packageDirectory(), 'examples/app/server.js')],
      env: { REDIS_URL: `redis://127.0.0.1:${port}`, PORT: `${webPort}` },
      ready: { log: 'guest book on' },
    })
    return { bin, port, url: `http://127.0.0.1:${webPort}/notes` }
  }

  async stop(): Promise<void> {
    for (const child of this.#children.splice(0)) await child.kill()
  }

  #servicesAt(network: string): Services {
    return parse(this.#text.replaceAll(this.#network, network), { merge: true }).services
  }
}
