/** A real master with real replicas that follow it, for specs. */
import { connectRaw } from './raw-client.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { until } from './until.ts'

export interface Replicated {
  readonly master: RedisServer
  readonly replicas: readonly RedisServer[]
  /** As it stands in a list of shards, without its name. */
  readonly shard: string
  stop(): Promise<void>
}

/**
 * Resolves when all have what the master has. Each server answers `GET who` with `master`, `replica0`,
 * `replica1` ...: replicas take that write by themselves.
 */
export async function startReplicated(
  count: number,
  replicaArgs: readonly string[] = [],
): Promise<Replicated> {
  const args = ['--repl-diskless-sync-delay', '0']
  const master = await startRedis({ args })
  await tell(master.port, 'SET', 'who', 'master')
  const follow = ['--replicaof', '127.0.0.1', `${master.port}`, '--replica-read-only', 'no']
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startRedis({ args: [...args, ...follow, ...replicaArgs] })),
  )
  for (const [at, { port }] of replicas.entries()) {
    await untilLinked(port)
    await tell(port, 'SET', 'who', `replica${at}`)
  }
  const list = replicas.map(({ port }) => `replica=127.0.0.1:${port}`).join('&')
  return {
    master,
    replicas,
    shard: `redis://127.0.0.1:${master.port}?${list}`,
    stop: async () => {
      for (const server of [master, ...replicas]) await server.stop()
    },
  }
}

/** Resolves when the replica has copied its master and follows it. */
export async function untilLinked(port: number): Promise<void> {
  await until(async () => /master_link_status:up/.test(await tell(port, 'INFO', 'replication')), 20)
}

/** What a server answers that is asked directly. */
export async function tell(port: number, ...words: string[]): Promise<string> {
  const client = await connectRaw(port)
  try {
    return String(await client.request(...words))
  } finally {
    await client.close()
  }
}
