/** The keys that the load reads, in place before it starts, so that every GET hits. */

import { encodeRequest } from '../spec/support/frames.ts'
import { connectRaw, type RawClient } from '../spec/support/raw-client.ts'
import type { Target } from './targets.ts'

/** redis-benchmark's `-r`. 4 KB values get fewer keys: 100,000 of them, twice, are 1 GB. */
export function keyCount(valueBytes: number): number {
  return valueBytes <= 64 ? 100_000 : 20_000
}

const BATCH = 500

/**
 * Empties all servers and fills them again: Redis itself, and the shards through the ambassador.
 * Throws when another target then looks for a key elsewhere than where it was put.
 */
export async function loadKeys(targets: readonly Target[], valueBytes: number): Promise<void> {
  const isFilled = ({ name }: Target) => name === 'redis' || name === 'ambassador'
  const order = targets.toSorted((a, b) => Number(isFilled(b)) - Number(isFilled(a)))
  for (const target of order) {
    const client = await connectRaw('path' in target.at ? target.at : target.at.port)
    // The specs' client does not keep a process alive, and here there is no mocha that does.
    client.socket.ref()
    if (isFilled(target)) await fill(client, keyCount(valueBytes), 'x'.repeat(valueBytes))
    else await expectAllThere(client, keyCount(valueBytes))
    await client.close()
  }
}

/** Empties what the client reaches, and sets `count` keys. */
export async function fill(client: RawClient, count: number, value: string): Promise<void> {
  await client.request('FLUSHALL')
  await forEachKey(client, count, '+OK\r\n', (key) => encodeRequest('SET', key, value))
}

async function expectAllThere(client: RawClient, count: number): Promise<void> {
  await forEachKey(client, count, ':1\r\n', (key) => encodeRequest('EXISTS', key))
}

/** Sends a request for each key, many at a time; throws when one gets another reply than `wanted`. */
async function forEachKey(
  client: RawClient,
  count: number,
  wanted: string,
  request: (key: string) => Buffer,
): Promise<void> {
  for (let first = 0; first < count; first += BATCH) {
    const requests = batch(first, count).map(request)
    client.write(Buffer.concat(requests))
    const replies = (await client.replies(requests.length)).map(String)
    const other = replies.find((reply) => reply !== wanted)
    if (other !== undefined) throw new Error(`loading keys: ${other} instead of ${wanted}`)
  }
}

/** The names that redis-benchmark makes of `key:__rand_int__`. */
function batch(first: number, count: number): string[] {
  const length = Math.min(BATCH, count - first)
  return Array.from({ length }, (_, i) => `key:${String(first + i).padStart(12, '0')}`)
}
