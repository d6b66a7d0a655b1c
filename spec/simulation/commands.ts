/**
 * The language of the simulation. A key says who asked, where it lives and how large its value is:
 * `c1.17.s2.n600` is client 1's 17th request, on shard 2, with a value of 600 bytes more. So every
 * reply tells whom it is for, and its right content is known without keeping any.
 */
import { bulk, latin1 } from '../support/frames.ts'

/** Values are full of RESP, for whoever loses count of bytes. */
const PAD = '\r\n+OK\r\n$-1'

export function keyFor(client: number, sequence: number, shard: number, size: number): string {
  return `c${client}.${sequence}.s${shard}.n${size}`
}

export function shardOf(key: string): number {
  return Number(/\.s(\d+)/.exec(key)?.[1])
}

/** Who asked, and their how manieth request it was. */
export function askerOf(key: string): { client: string; sequence: number } {
  const [client = '', sequence] = key.split('.')
  return { client, sequence: Number(sequence) }
}

function valueFor(key: string): string {
  const size = Number(/n(\d+)$/.exec(key)?.[1])
  return `${key}|${PAD.repeat(size / PAD.length + 1).slice(0, size)}`
}

/** What the shard `shard` answers to a command. */
export function execute(args: readonly string[], shard: number): Buffer {
  const [name, ...keys] = args
  if (name === 'GET') return bulk(valueFor(keys[0] ?? ''))
  if (name === 'MGET') return arrayOf(keys.map(valueFor))
  return arrayOf([listed(keys[0] ?? '', shard)])
}

/** What KEYS finds on one shard. */
function listed(key: string, shard: number): string {
  return `${key}@${shard}`
}

/** What a client gets for a command from `shardCount` shards of which none fails. */
export function expectedReply(args: readonly string[], shardCount: number): string {
  const [name, key = ''] = args
  if (name === 'PING') return bulk(key).toString('latin1')
  if (name !== 'KEYS') return execute(args, 0).toString('latin1')
  const all = Array.from({ length: shardCount }, (_, shard) => listed(key, shard))
  return arrayOf(all).toString('latin1')
}

/** What shards do for a command, one entry for each thing that is done. */
export function effectsOf(args: readonly string[], shard: number): string[] {
  const [name, ...keys] = args
  if (name === 'MGET') return keys
  return name === 'KEYS' ? [listed(keys[0] ?? '', shard)] : [keys[0] ?? '']
}

function arrayOf(values: readonly string[]): Buffer {
  return Buffer.concat([latin1(`*${values.length}\r\n`), ...values.map(bulk)])
}
