/** How evenly the twelve hashes spread runs of numbers, as a table of docs/configuration.md. */
import { HASH_NAMES } from '../lib/config/values/types.ts'
import { excess, fullestRun } from '../lib/routing/placement/clumping.ts'
import { type HashName, hashMax } from '../lib/routing/placement/key-hash.ts'
import { Placement } from '../lib/routing/placement/placement.ts'
import type { Distribution } from '../lib/routing/placement/ring.ts'

const SHARD_COUNTS = [3, 4, 8]
const DISTRIBUTIONS = ['ketama', 'modula'] as const satisfies readonly Distribution[]

/** A Markdown table: by hash, what the fullest shard holds of the worst run, in times of its share. */
export function hashTable(): string {
  const cases = DISTRIBUTIONS.flatMap((distribution) => {
    return SHARD_COUNTS.map((shards) => ({ distribution, shards }))
  })
  const header = [
    'Hash',
    ...cases.map(({ distribution, shards }) => `${distribution}, ${shards} shards`),
  ]
  const rows = HASH_NAMES.map((hash) => [
    `\`${hash}\`${hashMax(hash) < 2 ** 32 - 1 ? ' (15 bits)' : ''}`,
    ...cases.map(({ distribution, shards }) => worst(hash, distribution, shards).toFixed(2)),
  ])
  const lines = [header, header.map((_, at) => (at === 0 ? '---' : '--:')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function worst(hash: HashName, distribution: Distribution, shards: number): number {
  const servers = Array.from({ length: shards }, (_, index) => {
    return { name: `redis-${index}`, weight: 1 }
  })
  const placement = new Placement({
    servers,
    hash,
    distribution,
    hashTag: '{}',
    byteSign: 'signed',
  })
  const fullest = fullestRun(placement)
  return fullest === undefined ? Number.NaN : excess(fullest)
}
