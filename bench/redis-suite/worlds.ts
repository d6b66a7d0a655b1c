/** What the suite runs against: a Redis, or an ambassador in front of one, of three, or of a cluster. */
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { shardName } from '../../spec/support/ambassador.ts'
import { type Child, startChild } from '../../spec/support/child.ts'
import { startCluster } from '../../spec/support/cluster.ts'
import { freePort } from '../../spec/support/ports.ts'
import { startRedis } from '../../spec/support/redis-server.ts'

export interface WorldPlan {
  /** In the table. */
  readonly title: string
  /** The world whose results are what is expected here; undefined: this is one. */
  readonly against: WorldName | undefined
  readonly shards: number
  readonly allowAdmin: boolean
  /** The suite's `--cluster-mode`: keys of one slot at a time, and database 0 alone. */
  readonly clusterMode: boolean
}

export type WorldName =
  | ('direct' | 'through' | 'no-admin')
  | ('direct-cluster' | 'three' | 'cluster')

const REDIS = { against: undefined, shards: 0, allowAdmin: false } as const

/** In the order in which they run: one after those that it is compared with. */
export const WORLDS: Readonly<Record<WorldName, WorldPlan>> = {
  direct: { ...REDIS, title: 'Redis itself', clusterMode: false },
  through: {
    title: 'through, one shard',
    against: 'direct',
    shards: 1,
    allowAdmin: true,
    clusterMode: false,
  },
  'no-admin': {
    title: 'without `allowAdmin`',
    against: 'direct',
    shards: 1,
    allowAdmin: false,
    clusterMode: false,
  },
  'direct-cluster': { ...REDIS, title: 'Redis itself, `--cluster-mode`', clusterMode: true },
  three: {
    title: 'through, three shards',
    against: 'direct-cluster',
    shards: 3,
    allowAdmin: true,
    clusterMode: true,
  },
  cluster: {
    title: 'through, a cluster of three masters',
    against: 'direct-cluster',
    shards: 3,
    allowAdmin: true,
    clusterMode: true,
  },
}

/** Those that `--topology` means. */
export const WORLDS_OF_TOPOLOGY: Readonly<Record<string, readonly WorldName[]>> = {
  ring: ['direct', 'through', 'no-admin', 'direct-cluster', 'three'],
  cluster: ['direct-cluster', 'cluster'],
}

export interface World {
  readonly port: number
  stop(): Promise<void>
}

/** As the workflow `external.yml` in Redis's source starts the server. */
const REDIS_ARGS = [
  ...['--enable-protected-configs', 'yes'],
  ...['--enable-debug-command', 'yes', '--enable-module-command', 'yes'],
]

/** `command`: the redis-server. */
export async function startWorld(name: WorldName, command: string): Promise<World> {
  const { shards, allowAdmin } = WORLDS[name]
  if (name === 'cluster') return startClusterWorld()
  const redises = await Promise.all(
    Array.from({ length: Math.max(1, shards) }, () => startRedis({ args: REDIS_ARGS, command })),
  )
  const list = redises.map(({ port }, index) => `${shardName(index)}=127.0.0.1:${port}`).join(',')
  const ambassador = shards === 0 ? undefined : await startAmbassador(allowAdmin, list)
  return {
    port: ambassador?.port ?? redises[0]?.port ?? 0,
    async stop() {
      await ambassador?.child.kill()
      for (const redis of redises) await redis.stop()
    },
  }
}

/** Of the redis-server in PATH. */
async function startClusterWorld(): Promise<World> {
  const cluster = await startCluster({ serverArgs: REDIS_ARGS })
  const list = `redis+cluster://${cluster.addresses}`
  const { child, port } = await startAmbassador(WORLDS.cluster.allowAdmin, list)
  return {
    port,
    async stop() {
      await child.kill()
      await cluster.stop()
    },
  }
}

/** Several files at a time are much for a small machine, and a start may take long. */
const READY_TIMEOUT_MS = 60_000

async function startAmbassador(
  allowAdmin: boolean,
  list: string,
): Promise<{ child: Child; port: number }> {
  const port = await freePort()
  const child = await startChild({
    command: process.execPath,
    args: [join(packageDirectory(), 'dist', 'bin.js')],
    env: {
      PATH: process.env['PATH'],
      AMBASSADOR_ENV: 'production',
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
      AMBASSADOR_SHARDS: list,
      AMBASSADOR_ALLOW_ADMIN: allowAdmin ? 'yes' : 'no',
      // The suite has commands that take seconds, and waits for each.
      AMBASSADOR_REQUEST_TIMEOUT_MS: '0',
      AMBASSADOR_LOG_LEVEL: 'warn',
    },
    ready: { listens: [{ port }] },
    readyTimeoutMs: READY_TIMEOUT_MS,
  })
  return { child, port }
}
