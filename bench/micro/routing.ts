/** Nanoseconds for hashing a key and for finding its shard: `node build/bench/micro/routing.js`. */
import { createHash } from 'node:crypto'
import { HASH_NAMES } from '../../lib/config/values/types.ts'
import { keyHash } from '../../lib/routing/placement/key-hash.ts'
import { Placement, type PlacementOptions } from '../../lib/routing/placement/placement.ts'
import { buildRing, type Server } from '../../lib/routing/placement/ring.ts'

const ROUNDS = 7
const CALLS = 300_000
const KEY_BYTES = [6, 16, 40]
const SHARD_COUNTS = [3, 8, 64]

/** A power of two, so that the loop finds its next input with a mask. */
const INPUTS = 1 << 16
const bytes = Buffer.from(
  Uint8Array.from({ length: INPUTS + 64 }, (_, i) => 33 + ((i * 7919) % 90)),
)
const hashes = Uint32Array.from({ length: INPUTS }, () => Math.random() * 2 ** 32)

/** Every result goes in here and is printed, or the engine could leave the calls out. */
let used = 0

/** The best of several rounds: other work on the machine can only add to the time. */
function nanoseconds(call: (input: number) => number): string {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < CALLS; i++) used ^= call((i * 41) & (INPUTS - 1))
    best = Math.min(best, Number(process.hrtime.bigint() - start) / CALLS)
  }
  return best.toFixed(1)
}

function row(name: string, cells: readonly (string | number)[]): void {
  const columns = cells.map((cell) => String(cell).padStart(9)).join('')
  process.stdout.write(`${name.padEnd(40)}${columns}\n`)
}

function servers(count: number): Server[] {
  return Array.from({ length: count }, (_, index) => ({ name: `redis-${index}`, weight: 1 }))
}

/** From a key of 16 bytes to its shard: all that routing adds to a request with one key. */
function shardOfRow(name: string, options: Partial<PlacementOptions>): void {
  const placements = SHARD_COUNTS.map((count) => {
    const defaults = { hash: 'fnv1a_64', distribution: 'ketama', hashTag: '{}' } as const
    return new Placement({ servers: servers(count), byteSign: 'signed', ...defaults, ...options })
  })
  row(
    name,
    placements.map((placement) => nanoseconds((at) => placement.shardOf(bytes, at, at + 16))),
  )
}

row('hash, ns by key length in bytes', KEY_BYTES)
for (const name of HASH_NAMES) {
  const hash = keyHash(name, 'signed')
  row(
    name,
    KEY_BYTES.map((length) => nanoseconds((at) => hash(bytes, at, at + length))),
  )
}
const openssl = (part: Buffer): number => createHash('md5').update(part).digest().readUInt32LE(0)
row(
  'md5 by node:crypto, for comparison',
  KEY_BYTES.map((length) => nanoseconds((at) => openssl(bytes.subarray(at, at + length)))),
)

row('\nfrom a hash to its server, ns by shards', SHARD_COUNTS)
for (const distribution of ['ketama', 'modula'] as const) {
  const rings = SHARD_COUNTS.map((count) => buildRing(servers(count), distribution))
  row(
    distribution,
    rings.map((ring) => nanoseconds((at) => ring.ownerOf(hashes[at] as number))),
  )
}

row('\nfrom a key to its shard, ns by shards', SHARD_COUNTS)
shardOfRow('fnv1a_64 ketama, hash tag on', {})
shardOfRow('fnv1a_64 ketama, hash tag off', { hashTag: '' })
shardOfRow('murmur ketama, hash tag on', { hash: 'murmur' })
shardOfRow('md5 modula, hash tag on', { hash: 'md5', distribution: 'modula' })
process.stdout.write(`\n(results used: ${used >>> 0})\n`)
