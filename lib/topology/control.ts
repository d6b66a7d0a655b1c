/** Asks a shard about itself, over a connection made for that and closed right after. */
import { type ControlOptions, openControl, type RedisAddress, type RedisClient } from './ioredis.ts'

export interface ShardFacts {
  /** The reply to COMMAND, as arrays, texts and numbers in text. */
  readonly commands: unknown
  /** `7.0.15`; undefined when the shard tells none that looks like a version. */
  readonly version: string | undefined
}

/** What a version looks like: it goes into HELLO's reply, and must not be anything else. */
const VERSION = /^\d{1,9}(\.\d{1,9}){0,3}$/

/**
 * Rejects with what ioredis or the shard says when the shard cannot be asked for its commands, and
 * when `signal` calls it off.
 */
export async function readShardFacts(
  address: RedisAddress,
  options: ControlOptions,
  signal: AbortSignal,
): Promise<ShardFacts> {
  signal.throwIfAborted()
  const client = openControl(address, options)
  const disconnect = (): void => client.disconnect()
  signal.addEventListener('abort', disconnect)
  try {
    const [commands, version] = await Promise.all([client.call('COMMAND'), readVersion(client)])
    return { commands, version }
  } finally {
    signal.removeEventListener('abort', disconnect)
    disconnect()
  }
}

/** HELLO needs no right, but is as young as Redis 6; INFO is as old as Redis. */
async function readVersion(client: RedisClient): Promise<string | undefined> {
  const version = await client.call('HELLO').then(versionInGreeting, () => undefined)
  if (version !== undefined) return VERSION.test(version) ? version : undefined
  const info = await client.call('INFO', 'server').then(String, () => '')
  const [, told] = /^redis_version:(.*?)\r?$/m.exec(info) ?? []
  return told !== undefined && VERSION.test(told) ? told : undefined
}

/** In RESP2 names and values in turn. */
function versionInGreeting(greeting: unknown): string | undefined {
  if (!Array.isArray(greeting)) return undefined
  const at = greeting.indexOf('version')
  return at < 0 ? undefined : String(greeting[at + 1])
}
