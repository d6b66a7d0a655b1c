/** Three empty Redis servers for the demo: the real thing if installed, else one written in JavaScript. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { firstFreePort } from './free-port.ts'

const SHARD_COUNT = 3
const FIRST_PORT = 7001

export interface DemoShard {
  readonly name: string
  readonly port: number
}

export interface DemoShards {
  /** What serves them, for people. */
  readonly server: string
  readonly shards: readonly DemoShard[]
  stop(): Promise<void>
}

/** Nothing that could serve the demo is installed. The message says what to do. */
export class NoServerError extends Error {}

export async function startDemoShards(): Promise<DemoShards> {
  const program = findOnPath(['redis-server', 'valkey-server'])
  return program === undefined ? startInProcess() : startProcesses(program)
}

/** Full path of the first of these programs that PATH has. */
export function findOnPath(names: readonly string[]): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')
  return names.flatMap((name) => directories.map((entry) => join(entry, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function startProcesses(program: string): Promise<DemoShards> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-ambassador-demo-'))
  const children: ChildProcess[] = []
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  // Whatever ends this process, an exception included, the servers must not stay behind.
  process.once('exit', killAll)

  async function stop(): Promise<void> {
    process.removeListener('exit', killAll)
    const ends = children.filter(isRunning).map((child) => once(child, 'exit'))
    killAll()
    await Promise.all(ends)
  }
  try {
    const shards: DemoShard[] = []
    for (let number = 1; number <= SHARD_COUNT; number += 1) {
      const port = await firstFreePort(FIRST_PORT + shards.length)
      const child = spawn(program, ['--port', String(port), ...settings(directory)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        // Out of the terminal's reach: Ctrl-C must end the ambassador before its shards.
        detached: true,
      })
      children.push(child)
      await untilReady(program, child)
      shards.push({ name: `shard-${number}`, port })
    }
    return { server: program, shards, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function settings(directory: string): string[] {
  return ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory]
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** Both redis-server and valkey-server say this line once they listen. */
function untilReady(program: string, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (!log.includes('Ready to accept connections')) return
      // From here on the log is read only so that the pipe never fills up.
      child.stdout?.removeAllListeners('data').resume()
      resolve()
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${log}`)))
  })
}

async function startInProcess(): Promise<DemoShards> {
  // Not a dependency of the product: loaded only here, and only where it happens to be installed.
  const { createRedisMock } = await import('js-redis-server').catch(() => {
    throw new NoServerError(
      'the demo needs redis-server or valkey-server on PATH, or: npm install js-redis-server',
    )
  })
  const servers: Awaited<ReturnType<typeof createRedisMock>>[] = []
  while (servers.length < SHARD_COUNT) servers.push(await createRedisMock())
  return {
    server: 'js-redis-server, in this process: no redis-server or valkey-server on PATH',
    shards: servers.map(({ port }, i) => ({ name: `shard-${i + 1}`, port })),
    async stop() {
      for (const server of servers) await server.close()
    },
  }
}
