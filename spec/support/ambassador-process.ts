/**
 * The ambassador as a process of its own, in front of servers on ports of this machine: what it
 * holds is then its own memory and nobody else's.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { shardName } from './ambassador.ts'
import { startBin } from './bin.ts'
import type { Child } from './child.ts'
import { http } from './http.ts'
import { freePort } from './ports.ts'

/** How long after the last reply anything may still be under way, milliseconds. */
const QUIET_MS_MAX = 30_000
const LOOK_AGAIN_MS = 10

export class AmbassadorProcess {
  readonly port: number
  readonly child: Child
  readonly #adminPort: number

  constructor(child: Child, port: number, adminPort: number) {
    this.child = child
    this.port = port
    this.#adminPort = adminPort
  }

  /** VmRSS of the process. */
  residentBytes(): number {
    return residentBytesOf(this.child.pid)
  }

  /** The most that it has been so far: VmHWM. */
  mostResidentBytes(): number {
    return statusBytes(this.child.pid, 'VmHWM')
  }

  /** What `/metrics` says. */
  async metrics(): Promise<string> {
    return (await http({ port: this.#adminPort, path: '/metrics' })).body
  }

  /** What `/stats` says is still under way once all should be quiet: nothing, or one line. */
  async leftUnderWay(): Promise<string | undefined> {
    const endMs = performance.now() + QUIET_MS_MAX
    for (;;) {
      const { body } = await http({ port: this.#adminPort, path: '/stats' })
      const { clients, inFlight, leases, topics } = JSON.parse(body) as Record<string, number>
      const left = JSON.stringify({ clients, inFlight, leases, topics })
      if (left === '{"clients":0,"inFlight":0,"leases":0,"topics":0}') return undefined
      if (performance.now() > endMs) return left
      await pause(LOOK_AGAIN_MS)
    }
  }
}

/** For shards named a, b, c ..., or as the option takes them; `flags` as on the command line. */
export async function startAmbassadorProcess(
  shards: readonly { readonly port: number }[] | string,
  flags: readonly string[] = [],
): Promise<AmbassadorProcess> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const listens = ['--listen', `127.0.0.1:${port}`, '--admin-listen', `127.0.0.1:${adminPort}`]
  const list =
    typeof shards === 'string'
      ? shards
      : shards.map((shard, index) => `${shardName(index)}=127.0.0.1:${shard.port}`).join(',')
  // Counting which lines run takes memory that no user's process has.
  const variables = { NODE_V8_COVERAGE: undefined }
  const child = await startBin([...listens, '--shards', list, ...flags], variables)
  return new AmbassadorProcess(child, port, adminPort)
}

/** VmRSS of any process. */
export function residentBytesOf(pid: number): number {
  return statusBytes(pid, 'VmRSS')
}

function statusBytes(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return 1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1])
}
