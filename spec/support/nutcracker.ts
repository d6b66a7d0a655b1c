/** The real twemproxy (Debian's `nutcracker`) as the oracle of placement and the rival of the bench. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChildAddress, startChild } from './child.ts'
import { freePort } from './ports.ts'

export interface Nutcracker {
  readonly pid: number
  /** The log so far. */
  log(): string
  stop(): Promise<void>
}

/**
 * Starts it with the given configuration file text, which names the addresses it listens on.
 * `logLevel` is nutcracker's `-v`, 0 to 11.
 */
export async function startNutcracker(
  yml: string,
  options: { logLevel?: number } = {},
): Promise<Nutcracker> {
  const directory = mkdtempSync(join(tmpdir(), 'ambassador-nutcracker-'))
  const [file, logFile] = [join(directory, 'nutcracker.yml'), join(directory, 'log')]
  writeFileSync(file, yml)
  const statistics = ['-a', '127.0.0.1', '-s', String(await freePort())]
  // Debian's build logs to /var/log unless told, and never says that it listens.
  const log = ['-v', String(options.logLevel ?? 5), '-o', logFile, '-p', join(directory, 'pid')]
  const child = await startChild({
    command: 'nutcracker',
    args: ['-c', file, ...statistics, ...log],
    ready: { listens: listenAddresses(yml) },
  }).catch((error: Error) => {
    throw new Error(`${error.message}${readFileSync(logFile, 'latin1')}`)
  })

  async function stop(): Promise<void> {
    await child.kill()
    rmSync(directory, { recursive: true, force: true })
  }
  return { pid: child.pid, log: () => readFileSync(logFile, 'latin1'), stop }
}

/** `host:port` or `/path` of every `listen:` line. */
function listenAddresses(yml: string): ChildAddress[] {
  return [...yml.matchAll(/\blisten:\s*['"]?([^\s'",}]+)/g)].map(([, address = '']) =>
    address.startsWith('/') ? { path: address } : { port: Number(address.split(':').pop()) },
  )
}
