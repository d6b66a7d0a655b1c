/**
 * The client libraries that specs use as ordinary apps do; the door of `ioredis`, `ioredis5`,
 * `redis` and `redis5`.
 *
 * Traps: ioredis 6 and node-redis 6 send `HELLO 3` first, ioredis 5 does not, and node-redis does
 * not connect at all when HELLO is refused. Both ioredis versions read integers past 2^53 wrong
 * without `stringNumbers`. Each of them reconnects for ever unless told not to, and then mocha
 * cannot end: hence the options below.
 */
import { Redis as Ioredis6 } from 'ioredis'
import { Redis as Ioredis5, type RedisOptions } from 'ioredis5'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis5'

/** ioredis 5: RESP2, redis-parser inside. */
export function openIoredis5(port: number, options: RedisOptions = {}): Ioredis5 {
  const always = { port, host: '127.0.0.1', retryStrategy: () => null, stringNumbers: true }
  return new Ioredis5({ ...always, ...options })
}

/** ioredis 6: RESP3 by `HELLO 3`. */
export function openIoredis6(port: number): Ioredis6 {
  return new Ioredis6({ port, host: '127.0.0.1', retryStrategy: () => null, stringNumbers: true })
}

/** node-redis 5: RESP2 unless told otherwise. Connected when the promise resolves. */
export async function openNodeRedis5(port: number) {
  const client = createClient5({ socket: { port, host: '127.0.0.1', reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** node-redis: RESP3 by `HELLO 3`. Connected when the promise resolves. */
export async function openNodeRedis(port: number) {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return client
}
