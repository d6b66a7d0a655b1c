/**
 * A real redis-server for specs: own port, own temporary directory, nothing persisted. It is the one from
 * PATH, or that of the variable REDIS_SERVER: bench/servers.sh has newer ones. (@needs redis-server)
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import { freePort } from './ports.ts'

export const REDIS_SERVER = process.env['REDIS_SERVER'] ?? 'redis-server'

export interface RedisOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** More command-line arguments, for example `['--requirepass', 'secret']`. */
  readonly args?: readonly string[]
  /** The program. Default: REDIS_SERVER. */
  readonly command?: string
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const server = new RedisServer(options.port ?? (await freePort()), options)
  await server.restart()
  return server
}

export class RedisServer {
  readonly port: number
  readonly directory = mkdtempSync(join(tmpdir(), 'ambassador-redis-'))
  readonly #args: readonly string[]
  readonly #host: string
  readonly #command: string
  #child: Child | undefined

  constructor(port: number, options: RedisOptions) {
    const { args = [], host = '127.0.0.1', command = REDIS_SERVER } = options
    this.port = port
    this.#args = args
    this.#host = host
    this.#command = command
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** SIGSTOP and SIGCONT return at once; any other signal waits until the process has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child?.kill(signal)
  }

  /** Starts it again on the same port, empty; kills it first when it still runs. */
  async restart(): Promise<void> {
    await this.kill()
    this.#child = await startChild({
      command: this.#command,
      args: ['--port', String(this.port), '--bind', this.#host, ...this.#settings()],
      ready: { log: 'Ready to accept connections' },
    })
  }

  async stop(): Promise<void> {
    // Not SIGTERM: a server that a spec has stopped with SIGSTOP would never see it.
    await this.kill('SIGKILL')
    rmSync(this.directory, { recursive: true, force: true })
  }

  #settings(): string[] {
    return ['--save', '', '--appendonly', 'no', '--dir', this.directory, ...this.#args]
  }
}
