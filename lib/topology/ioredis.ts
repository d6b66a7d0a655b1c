/**
 * The door of `ioredis`: ordinary client connections for everything beside the data path, such as
 * tools and health checks. Never for an app's commands: it costs 9 µs of CPU each, against 1 µs.
 *
 * Traps (ioredis 6.0.0):
 * - it reconnects for ever, and commands wait for it: a tool wants to hear that the server is gone,
 *   hence no `retryStrategy`;
 * - an `error` event nobody listens to is printed to stderr; the failed command tells it anyway;
 * - it sends `HELLO 3` first and goes on with RESP2 when that is refused;
 * - it sends INFO and is not ready before that is answered; an error there ends the connection;
 * - integers past 2^53 lose their last digits without `stringNumbers`.
 */
import { Redis } from 'ioredis'

export type RedisClient = Redis

/** Connects at once; commands issued before that wait, and reject when it fails. */
export function openRedis(address: { readonly host: string; readonly port: number }): RedisClient {
  const client = new Redis({ ...address, retryStrategy: () => null, stringNumbers: true })
  client.on('error', () => {})
  return client
}
