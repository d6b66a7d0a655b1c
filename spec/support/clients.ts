/**
 * The client libraries that specs use as ordinary apps do; the door of `ioredis5` and `redis`.
 *
 * Traps: ioredis 6 and node-redis 6 send `HELLO 3` first, ioredis 5 does not, and node-redis does
 * not connect at all when HELLO is refused. Both ioredis versions read integers past 2^53 wrong
 * without `stringNumbers`. Each of them reconnects for ever unless told not to, and then mocha
 * cannot end: hence the options below.
 */
import { Redis as Ioredis5, type RedisOptions } from 'ioredis5'
import { createClient } from 'redis'

/** ioredis 5: RESP2, redis-parser inside. */
export function openIoredis5(port: number, options: RedisOptions = {}): Ioredis5 {
  const always = { port, host: '127.0.0.1', retryStrategy: () => null, stringNumbers: true }
  return new Ioredis5({ ...always, ...options })
}

/** node-redis: RESP3 by `HELLO 3`. Connected when the promise resolves. */
export async function openNodeRedis(port: number) {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return client
}
