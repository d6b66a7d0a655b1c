/** What is measured against what: Redis itself, other proxies and the ambassador, over the same shards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageDirectory } from '../lib/config/package-directory.ts'
import { type Child, type ChildAddress, startChild } from '../spec/support/child.ts'
import { type Nutcracker, startNutcracker } from '../spec/support/nutcracker.ts'
import { freePort } from '../spec/support/ports.ts'
import { type RedisServer, startRedis } from '../spec/support/redis-server.ts'
import { startHaproxyBefore } from './haproxy.ts'

export const TARGET_NAMES = [
  ...['redis', 'haproxy', 'nutcracker', 'ambassador', 'ambassador, unix'],
] as const

export interface Target {
  readonly name: (typeof TARGET_NAMES)[number]
  readonly at: ChildAddress
  /** The process whose CPU time counts. */
  readonly pid: number
}

export interface Targets {
  readonly list: readonly Target[]
  /** Behind nutcracker and the ambassador. */
  readonly shards: readonly RedisServer[]
  stop(): Promise<void>
}

export const SHARD_NAMES = ['a', 'b', 'c']

/** `node` runs the ambassador: a path, so that versions can be compared. HAProxy is among them if it is installed. */
export async function startTargets(node: string): Promise<Targets> {
  const sockets = mkdtempSync(join(tmpdir(), 'ambassador-bench-'))
  const socketOf = (name: string) => join(sockets, name)
  const shards = await Promise.all(
    SHARD_NAMES.map((name) => startRedis({ args: ['--unixsocket', socketOf(name)] })),
  )
  // A server of its own, so that the keys of the direct run do not lie on the shards as well.
  const redis = await startRedis()
  const haproxy = await startHaproxyBefore(redis)
  const nutcrackerPort = await freePort()
  const nutcracker = await startNutcrackerBefore(nutcrackerPort, shards)
  const overTcp = await startBuild(packageDirectory(), node, shards)
  const overUnix = await startBuild(packageDirectory(), node, shards, {
    AMBASSADOR_LISTEN: `unix:${socketOf('ambassador')}`,
    AMBASSADOR_SHARDS: SHARD_NAMES.map((name) => `${name}=unix://${socketOf(name)}`).join(),
  })
  return {
    list: [
      { name: 'redis', at: { port: redis.port }, pid: redis.pid },
      ...(haproxy === undefined ? [] : [haproxy.target]),
      { name: 'nutcracker', at: { port: nutcrackerPort }, pid: nutcracker.pid },
      overTcp.target,
      { ...overUnix.target, name: 'ambassador, unix' },
    ],
    shards,
    async stop() {
      for (const child of [overTcp.child, overUnix.child, haproxy?.child]) await child?.kill()
      await nutcracker.stop()
      for (const server of [redis, ...shards]) await server.stop()
      rmSync(sockets, { recursive: true })
    },
  }
}

/** Throws when it is not there. */
export function targetNamed(targets: readonly Target[], name: Target['name']): Target {
  const found = targets.find((target) => target.name === name)
  if (found === undefined) throw new Error(`there is no ${name} among the targets`)
  return found
}

export interface Build {
  readonly target: Target
  readonly child: Child
}

/**
 * The ambassador that was built in `directory`. `more`: variables. `prefix`: what stands before the command,
 * a program that becomes it.
 */
export async function startBuild(
  directory: string,
  node: string,
  shards: readonly { readonly port: number }[],
  more: NodeJS.ProcessEnv = {},
  prefix: readonly string[] = [],
): Promise<Build> {
  const port = await freePort()
  const variables = { ...ambassadorVariables(port, shards), ...more }
  const [, path] = /^unix:(.*)/.exec(variables['AMBASSADOR_LISTEN'] ?? '') ?? []
  const at = path === undefined ? { port } : { path }
  const [command = node, ...args] = [...prefix, node, join(directory, 'dist', 'bin.js')]
  const child = await startChild({
    command,
    args,
    env: { PATH: process.env['PATH'], ...variables },
    ready: { listens: [at] },
  })
  return { target: { name: 'ambassador', at, pid: child.pid }, child }
}

export function startNutcrackerBefore(
  port: number,
  shards: readonly RedisServer[],
): Promise<Nutcracker> {
  return startNutcracker(nutcrackerYml(port, shards))
}

/** The same terms for both: names, hash, distribution, hash tag, one connection to each shard. */
function nutcrackerYml(port: number, shards: readonly RedisServer[]): string {
  const servers = shards.map((shard, i) => `    - 127.0.0.1:${shard.port}:1 ${SHARD_NAMES[i]}`)
  return [
    'bench:',
    `  listen: 127.0.0.1:${port}`,
    '  redis: true',
    '  hash: fnv1a_64',
    '  distribution: ketama',
    '  hash_tag: "{}"',
    '  servers:',
    ...servers,
    '',
  ].join('\n')
}

function ambassadorVariables(
  port: number,
  shards: readonly { readonly port: number }[],
): NodeJS.ProcessEnv {
  const list = shards.map((shard, i) => `${SHARD_NAMES[i]}=127.0.0.1:${shard.port}`)
  return {
    AMBASSADOR_ENV: 'production',
    AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
    AMBASSADOR_ADMIN_LISTEN: 'off',
    AMBASSADOR_SHARDS: list.join(','),
    AMBASSADOR_HASH: 'fnv1a_64',
    AMBASSADOR_DISTRIBUTION: 'ketama',
    AMBASSADOR_HASH_TAG: '{}',
    AMBASSADOR_CONNECTIONS_PER_SHARD: '1',
    AMBASSADOR_REQUEST_TIMEOUT_MS: '0',
    AMBASSADOR_LOG_LEVEL: 'warn',
  }
}
