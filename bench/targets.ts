/** What is measured against what: Redis itself, nutcracker and the ambassador, over the same shards. */
import { join } from 'node:path'
import { packageDirectory } from '../lib/config/package-directory.ts'
import { type Child, startChild } from '../spec/support/child.ts'
import { type Nutcracker, startNutcracker } from '../spec/support/nutcracker.ts'
import { freePort } from '../spec/support/ports.ts'
import { type RedisServer, startRedis } from '../spec/support/redis-server.ts'

export const TARGET_NAMES = ['redis', 'nutcracker', 'ambassador'] as const

export interface Target {
  readonly name: (typeof TARGET_NAMES)[number]
  readonly port: number
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

/** `node` runs the ambassador: a path, so that versions can be compared. */
export async function startTargets(node: string): Promise<Targets> {
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  // A server of its own, so that the keys of the direct run do not lie on the shards as well.
  const redis = await startRedis()
  const nutcrackerPort = await freePort()
  const nutcracker = await startNutcrackerBefore(nutcrackerPort, shards)
  const { target, child } = await startBuild(packageDirectory(), node, shards)
  return {
    list: [
      { name: 'redis', port: redis.port, pid: redis.pid },
      { name: 'nutcracker', port: nutcrackerPort, pid: nutcracker.pid },
      target,
    ],
    shards,
    async stop() {
      await child.kill()
      await nutcracker.stop()
      for (const server of [redis, ...shards]) await server.stop()
    },
  }
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
  const [command = node, ...args] = [...prefix, node, join(directory, 'dist', 'bin.js')]
  const child = await startChild({
    command,
    args,
    env: { PATH: process.env['PATH'], ...ambassadorVariables(port, shards), ...more },
    ready: { listens: [{ port }] },
  })
  return { target: { name: 'ambassador', port, pid: child.pid }, child }
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
