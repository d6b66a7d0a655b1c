/** The two that are compared, each over two shards of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { cleanEnvironment } from '../../spec/support/bin.ts'
import { type Child, startChild } from '../../spec/support/child.ts'
import { startNutcracker } from '../../spec/support/nutcracker.ts'
import { freePort } from '../../spec/support/ports.ts'
import { type RedisServer, startRedis } from '../../spec/support/redis-server.ts'

export const KINDS = ['nutcracker', 'ambassador'] as const
export type Kind = (typeof KINDS)[number]

/** Deadline of requests, milliseconds, the same for both. */
export const REQUEST_TIMEOUT_MS = 1000

export interface TestedProxy {
  readonly kind: Kind
  readonly port: number
  readonly pid: number
  readonly shards: readonly [RedisServer, RedisServer]
  /** The ambassador's process; undefined for nutcracker. */
  readonly child: Child | undefined
  stop(): Promise<void>
}

/** `flags`: more options for the ambassador. */
export async function startProxy(kind: Kind, flags: readonly string[] = []): Promise<TestedProxy> {
  const shards = [await startRedis(), await startRedis()] as const
  const port = await freePort()
  const child = kind === 'ambassador' ? await startAmbassador(port, shards, flags) : undefined
  const nutcracker = child === undefined ? await startNutcracker(yml(port, shards)) : undefined
  async function stop(): Promise<void> {
    await child?.kill()
    await nutcracker?.stop()
    for (const shard of shards) await shard.stop()
  }
  return { kind, port, pid: (child ?? nutcracker)?.pid ?? 0, shards, child, stop }
}

export function shardList(shards: readonly RedisServer[]): string {
  return shards.map(({ port }, i) => `${'abc'.charAt(i)}=127.0.0.1:${port}`).join(',')
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function startAmbassador(
  port: number,
  shards: readonly RedisServer[],
  flags: readonly string[],
): Promise<Child> {
  const bin = join(packageDirectory(), 'dist', 'bin.js')
  const listen = ['--listen', `127.0.0.1:${port}`, '--admin-listen', 'off']
  // A configuration file that says which shards there are comes instead of the flag.
  const which = flags.includes('--config') ? [] : ['--shards', shardList(shards)]
  return startChild({
    command: process.execPath,
    args: [bin, ...listen, ...which, '--max-clients', '12000', ...flags],
    env: cleanEnvironment(),
    ready: { listens: [{ port }] },
  })
}

function yml(port: number, shards: readonly RedisServer[]): string {
  return [
    'reliability:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    '  hash: fnv1a_64',
    '  distribution: ketama',
    '  hash_tag: "{}"',
    `  timeout: ${REQUEST_TIMEOUT_MS}`,
    '  servers:',
    ...shards.map((shard, i) => `    - 127.0.0.1:${shard.port}:1 ${'abc'.charAt(i)}`),
    '',
  ].join('\n')
}
