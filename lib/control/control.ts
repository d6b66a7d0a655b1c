/** Asks a shard about itself, over a connection made for that and closed right after. */
import { setMaxListeners } from 'node:events'
import {
  GREETING_UNTIL_KNOWN,
  type Greeting,
  isOfCluster,
  parseGreeting,
  versionOf,
} from './greeting.ts'
import {
  type ControlOptions,
  openControl,
  type RawReplies,
  type RedisAddress,
  type RedisClient,
} from './ioredis.ts'

export interface ShardFacts {
  /** The reply to COMMAND as it came, RESP2; empty where it is no array. */
  readonly commands: Buffer
  readonly greeting: Greeting
  /** It answers MOVED for keys that are not in its slots. */
  readonly isClusterNode?: boolean
}

/**
 * Rejects with what ioredis or the shard says when the shard cannot be asked for its commands, and
 * when `signal` calls it off.
 */
export async function readShardFacts(
  address: RedisAddress,
  options: ControlOptions,
  signal: AbortSignal,
): Promise<ShardFacts> {
  let commands = NOTHING
  const take = (frame: Buffer): void => {
    commands = frame
  }
  const ask = async (client: RedisClient): Promise<ShardFacts> => {
    // One after the other: after a refusal the connection is being closed, and Node 20 never ends
    // after a write to such a connection.
    await client.call('COMMAND')
    const hello = await client.call('HELLO').catch(() => undefined)
    const greeting = hello === undefined ? await greetingOfInfo(client) : parseGreeting(hello)
    return { commands, greeting, isClusterNode: isOfCluster(hello) }
  }
  return asking(address, options, signal, ask, { to: 'command', take })
}

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * What the shard's data takes, `used_memory`, bytes; undefined when it does not tell. Rejects as
 * `readShardFacts` does.
 */
export async function readUsedMemory(
  address: RedisAddress,
  options: ControlOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  return asking(address, options, signal, async (client) => {
    const info = String(await client.call('INFO', 'memory'))
    const [, bytes] = /^used_memory:(\d{1,15})\r?$/m.exec(info) ?? []
    return bytes === undefined ? undefined : Number(bytes)
  })
}

async function asking<Told>(
  address: RedisAddress,
  options: ControlOptions,
  signal: AbortSignal,
  ask: (client: RedisClient) => Promise<Told>,
  raw?: RawReplies,
): Promise<Told> {
  signal.throwIfAborted()
  // There may be as many listeners as shards. Node takes more than ten for a leak and warns on
  // stderr.
  setMaxListeners(0, signal)
  const client = openControl(address, options, raw)
  const disconnect = (): void => client.disconnect()
  signal.addEventListener('abort', disconnect)
  try {
    return await ask(client)
  } finally {
    signal.removeEventListener('abort', disconnect)
    disconnect()
  }
}

/** HELLO needs no right but Redis 6; every Redis has INFO. */
async function greetingOfInfo(client: RedisClient): Promise<Greeting> {
  const info = await client.call('INFO', 'server').then(String, () => '')
  const [, told] = /^redis_version:(.*?)\r?$/m.exec(info) ?? []
  return { ...GREETING_UNTIL_KNOWN, version: versionOf(told) }
}
