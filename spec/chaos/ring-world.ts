/** Three shards on a ring that keep what they acknowledge, the last behind a bad network. */
import { placementOver } from '../support/placement.ts'
import { createRandom } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Chopper } from './chopper.ts'
import type { Report, Tokens } from './history.ts'
import { torment } from './nemesis.ts'
import { type ChaosWorld, words } from './world.ts'

const SHARDS = 3
/** A write that was acknowledged survives kill -9. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
/** Longer than any wait of the run: what is late by then never comes. */
const REQUEST_TIMEOUT_MS = 500

export async function startRingWorld(seed: number): Promise<ChaosWorld> {
  const redises: RedisServer[] = []
  for (let i = 0; i < SHARDS; i++) redises.push(await startRedis({ args: DURABLE }))
  const last = redises[SHARDS - 1] as RedisServer
  const chopper = new Chopper(last.port, createRandom(seed + 1))
  const ports = [...redises.slice(0, -1).map(({ port }) => port), await chopper.listen()]
  return {
    shards: ports.map((port, index) => `${nameOf(index)}=127.0.0.1:${port}`).join(','),
    flags: ['--request-timeout-ms', String(REQUEST_TIMEOUT_MS)],
    torment: (random, stopped) => torment({ redises, chopper }, random, stopped),
    check: (tokens, report) => checkContents(redises, tokens, report),
    async stop() {
      await chopper.close()
      for (const redis of redises) await redis.stop()
    },
  }
}

function nameOf(index: number): string {
  return 'abc'.charAt(index)
}

async function checkContents(
  redises: readonly RedisServer[],
  tokens: Tokens,
  report: Report,
): Promise<void> {
  const placement = placementOver(redises.map((_, index) => ({ name: nameOf(index), weight: 1 })))
  const found: string[] = []
  for (const [shard, redis] of redises.entries()) {
    const client = await connectRaw(redis.port)
    for (const key of words(await client.request('KEYS', '*'))) {
      const bytes = Buffer.from(key, 'latin1')
      if (placement.shardOf(bytes, 0, bytes.length) !== shard) {
        report.violated(`I6: key ${key} is on shard ${shard}`)
      }
      if (!key.startsWith('log:')) continue
      // One by one: after a long run they are more than a call takes arguments.
      for (const token of words(await client.request('LRANGE', key, '0', '-1'))) found.push(token)
    }
    await client.close()
  }
  for (const violation of tokens.violations(found, report)) report.violated(violation)
}
