/** What the demo claims, checked: keys written through the ambassador lie where the ring says. */
import { openRedis, type RedisClient } from '../../control/ioredis.ts'
import type { Placement } from '../../routing/placement/placement.ts'
import type { DemoShard } from './demo-shards.ts'

/** A day in the life of a small shop. Keys that share a {hash tag} share a shard. */
export const SAMPLES: readonly (readonly [key: string, value: string])[] = [
  ['user:ada', 'Ada Lovelace'],
  ['{user:ada}:cart', 'teapot'],
  ['session:5f3a', 'user:ada'],
  ['product:teapot', '24.00'],
  ['inventory:teapot', '7'],
  ['cart:grace', 'kettle'],
  ['order:1001', 'shipped'],
  ['page:/welcome', '<h1>Welcome</h1>'],
  ['page:/checkout', '<h1>Checkout</h1>'],
  ['visits', '1042'],
]

export interface DemoFindings {
  /** For each sample: the name of the shard that has the key. Empty when it did not come to that. */
  readonly placed: readonly string[]
  /** What is not as it should be, one line each. */
  readonly problems: readonly string[]
}

/** Writes and reads the samples through `port`, then asks each shard directly what it has. */
export async function checkDemo(
  port: number,
  shards: readonly DemoShard[],
  topology: Placement,
): Promise<DemoFindings> {
  const app = openRedis({ host: '127.0.0.1', port })
  const direct = shards.map((shard) => openRedis({ host: '127.0.0.1', port: shard.port }))
  try {
    const problems = await useAsAnApp(app)
    const placed: string[] = []
    for (const [key] of SAMPLES) {
      const bytes = Buffer.from(key)
      const owner = shards[topology.shardOf(bytes, 0, bytes.length)]?.name ?? 'nowhere'
      const holders = await shardsWith(key, shards, direct)
      if (holders !== owner) problems.push(`${key} should be on ${owner} but is on ${holders}`)
      placed.push(holders)
    }
    return { placed, problems }
  } catch (error) {
    // An error reply, or a connection that is gone: looking for the keys would tell nothing more.
    return { placed: [], problems: [String(error)] }
  } finally {
    for (const client of [app, ...direct]) client.disconnect()
  }
}

/** Names of the shards that have the key, joined; `nowhere` for none. */
async function shardsWith(
  key: string,
  shards: readonly DemoShard[],
  direct: readonly RedisClient[],
): Promise<string> {
  const found = await Promise.all(direct.map((client) => client.exists(key)))
  const names = shards.filter((_, i) => Number(found[i]) > 0).map((shard) => shard.name)
  return names.join(' and ') || 'nowhere'
}

/** Plain commands, then ones that concern several shards at once. */
async function useAsAnApp(app: RedisClient): Promise<string[]> {
  const problems: string[] = []
  const expect = (what: string, got: unknown, wanted: unknown): void => {
    const [shown, expected] = [JSON.stringify(got), JSON.stringify(wanted)]
    if (shown !== expected) problems.push(`${what} gave ${shown} instead of ${expected}`)
  }
  const keys = SAMPLES.map(([key]) => key)
  const values = SAMPLES.map(([, value]) => value)

  for (const [key] of SAMPLES) expect(`SET ${key}`, await app.set(key, 'first'), 'OK')
  expect('MSET', await app.mset(SAMPLES.flat()), 'OK')
  for (const [key, value] of SAMPLES) expect(`GET ${key}`, await app.get(key), value)
  expect('MGET', await app.mget(keys), values)
  expect('DBSIZE', Number(await app.dbsize()), SAMPLES.length)
  return problems
}
