/** What nutcracker has no counterpart for: draining and reloading under load. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { keysOn } from '../../spec/support/ambassador.ts'
import { encodeRequest } from '../../spec/support/frames.ts'
import { connectRaw } from '../../spec/support/raw-client.ts'
import { type RedisServer, startRedis } from '../../spec/support/redis-server.ts'
import { Victim } from '../../spec/support/victim.ts'
import type { Figures } from './experiments.ts'
import { shardList, startProxy } from './proxies.ts'

const CLIENTS = 8
const DEPTH = 50

/** Each client pushes to a list of its own until its connection ends; returns how often it was told OK. */
async function push(port: number, list: string): Promise<number> {
  const client = await connectRaw(port)
  const requests = Buffer.concat(
    Array.from({ length: DEPTH }, () => encodeRequest('RPUSH', list, 'v')),
  )
  let acknowledged = 0
  try {
    for (;;) {
      client.write(requests)
      for (let i = 0; i < DEPTH; i++) {
        if ((await client.reply()).toString('latin1', 0, 1) === ':') acknowledged++
      }
    }
  } catch {
    return acknowledged
  }
}

export async function drain(): Promise<Figures> {
  const proxy = await startProxy('ambassador')
  const pushing = Array.from({ length: CLIENTS }, (_, i) => push(proxy.port, `list${i}`))
  await pause(1000)
  await proxy.child?.kill('SIGTERM')
  const status = await proxy.child?.exited
  const acknowledged = (await Promise.all(pushing)).reduce((sum, each) => sum + each, 0)
  let found = 0
  for (const shard of proxy.shards) found += await lengths(shard)
  await proxy.stop()
  const lost = Math.max(0, acknowledged - found)
  return {
    'SIGTERM under load: writes acknowledged and lost': `${lost} of ${acknowledged}`,
    '... executed without the answer having been read': `${found - acknowledged}`,
    '... exit status': `${status}`,
  }
}

async function lengths(shard: RedisServer): Promise<number> {
  const client = await connectRaw(shard.port)
  let sum = 0
  for (let i = 0; i < CLIENTS; i++) {
    sum += Number((await client.request('LLEN', `list${i}`)).toString().slice(1))
  }
  await client.close()
  return sum
}

/** Ten reloads, a third shard coming and going, beside victims whose keys stay where they are. */
export async function reload(): Promise<Figures> {
  const third = await startRedis()
  const directory = mkdtempSync(join(tmpdir(), 'ambassador-reliability-'))
  const file = join(directory, 'ambassador.yml')
  const others = [await startRedis(), await startRedis()]
  const write = (shards: readonly RedisServer[]): void => {
    writeFileSync(file, `shards: "${shardList(shards)}"\n`)
  }
  write(others)
  const proxy = await startProxy('ambassador', ['--config', file])
  const staying = [0, 1].flatMap((shard) => {
    const before = new Set(keysOn(shard, 2, 500))
    return keysOn(shard, 3, 300).filter((key) => before.has(key))
  })
  const victims: Victim[] = []
  for (let i = 0; i < 4; i++) {
    const key = (index: number): string => staying[i * DEPTH + index] ?? ''
    victims.push(await Victim.start({ port: proxy.port, id: `v${i}`, depth: DEPTH, key }))
  }
  for (let i = 0; i < 10; i++) {
    write(i % 2 === 0 ? [...others, third] : others)
    await proxy.child?.kill('SIGHUP')
    await pause(300)
  }
  for (const victim of victims) await victim.stop()
  const lost = victims.reduce((sum, each) => sum + each.lost, 0)
  const replies = victims.reduce((sum, each) => sum + each.replies, 0)
  await proxy.stop()
  for (const redis of [third, ...others]) await redis.stop()
  rmSync(directory, { recursive: true, force: true })
  return { '10 reloads under load: requests failed for keys that stay': `${lost} of ${replies}` }
}
