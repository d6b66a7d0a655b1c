/** `diff OLD NEW`: what share of the keys has another shard under the new configuration. */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { shardAddressText } from '../../config/values/address.ts'
import { EXIT, UsageError } from '../../errors.ts'
import { DIFF_KEY_BYTES_MAX } from '../../limits.ts'
import { hashMax } from '../../routing/placement/key-hash.ts'
import { overlap } from '../../routing/placement/overlap.ts'
import type { Placement } from '../../routing/placement/placement.ts'
import type { DiffCommand } from '../arguments.ts'
import type { Report } from '../doctor.ts'
import { placementOf, type Rules } from '../ring.ts'
import { loadSides, type Side } from './diff-side.ts'
import { diffJson, diffText } from './diff-text.ts'
import type { Difference, WholeDifference } from './difference.ts'
import { matchShards, movementOf, type Owner, ownersOf } from './movement.ts'
import {
  poolNotes,
  poolRegions,
  routeFinder,
  routeRegions,
  type Target,
  targetText,
} from './regions.ts'

/** Keys that are placed where no ring can be compared: 0.16 points of standard error at 50 %. */
const SAMPLE_KEYS = 100_000

/** Throws ConfigError and, if the keys cannot be read, UsageError. */
export async function runDiff(command: DiffCommand): Promise<Report> {
  const { before, after } = loadSides(command)
  const routes = routeRegions(before, after)
  const first = comparison(firstOf(before), firstOf(after))
  const ofRoutes = routes.map((route) => comparison(route.before, route.after))
  if (command.keys !== undefined) {
    const find = routeFinder(routes)
    await readKeys(command.keys, (key) => {
      const at = find(key)
      const { counter } = at === undefined ? first : (ofRoutes[at] as Comparison)
      counter.add(key)
    })
  }
  const counted = command.keys !== undefined
  const own = differenceOf(first, counted)
  const difference: WholeDifference = {
    ...own,
    notes: [...own.notes, ...poolNotes(before, after)],
    routes: routes.map((route, at) => ({
      title: `route ${JSON.stringify(route.prefix)}: ${targetText(route.before)} -> ${targetText(route.after)}`,
      names: {
        ...{ prefix: route.prefix, old: targetText(route.before), new: targetText(route.after) },
      },
      difference: differenceOf(ofRoutes[at] as Comparison, counted),
    })),
    // Which keys come to a pool by addresses and databases is not said by the keys.
    pools: poolRegions(before, after).map((pool) => ({
      title: `pool ${pool.pool}`,
      names: { pool: pool.pool },
      difference: differenceOf(comparison(pool.before, pool.after), false),
    })),
  }
  return {
    text: command.json ? diffJson(difference) : diffText(difference, command),
    code: command.exitCode && moves(difference) ? EXIT.runtime : EXIT.ok,
  }
}

function firstOf({ rules }: Side): Target {
  return { pool: undefined, rules }
}

function moves({ routes, pools, ...own }: WholeDifference): boolean {
  return [own, ...[...routes, ...pools].map(({ difference }) => difference)].some(
    ({ keys, ring }) => (keys ?? ring).moved > 0,
  )
}

/** The same keys on both sides. */
interface Comparison {
  readonly before: Target
  readonly after: Target
  readonly placements: Placements
  readonly counter: KeyCounter
}

function comparison(before: Target, after: Target): Comparison {
  const placements = [placementOf(before.rules), placementOf(after.rules)] as const
  return { before, after, placements, counter: new KeyCounter(placements) }
}

function differenceOf(
  { before: old, after: recent, placements, counter }: Comparison,
  counted: boolean,
): Difference {
  const [before, after] = [old.rules, recent.rules]
  const owners = [ownersOf(before, old.pool), ownersOf(after, recent.pool)] as const
  const exact = canCompareRings(before, after, placements)
  const shares = exact ? ringShares([before, after], placements) : sampleShares(placements)
  return {
    before,
    after,
    ring: movementOf(...owners, shares),
    sampled: exact ? 0 : SAMPLE_KEYS,
    keys: counted ? movementOf(...owners, counter.counts) : undefined,
    notes: notesOf(before, after, owners, exact),
  }
}

type Placements = readonly [before: Placement, after: Placement]

/** Unless both look at the key, it does not matter how they hash it. */
function canCompareRings(before: Rules, after: Rules, placements: Placements): boolean {
  return before.hash === after.hash || !placements.every(looksAtKeys)
}

function looksAtKeys(placement: Placement): boolean {
  return placement.placeCount > 1 && placement.layout().kind !== 'random'
}

function ringShares(rules: readonly Rules[], placements: Placements): number[][] {
  const [before, after] = placements.map((placement) => ({
    layout: placement.layout(),
    owners: placement.placeCount,
  }))
  assert(before !== undefined && after !== undefined)
  const { hash } = rules[placements.findIndex(looksAtKeys)] ?? {}
  return overlap(before, after, hashMax(hash ?? 'md5'))
}

function sampleShares(placements: Placements): number[][] {
  const counter = new KeyCounter(placements)
  for (let i = 0; i < SAMPLE_KEYS; i++) counter.add(Buffer.from(`key:${i}`))
  return counter.counts.map((row) => row.map((count) => count / SAMPLE_KEYS))
}

class KeyCounter {
  /** By old and new shard. */
  readonly counts: number[][]
  readonly #before: Placement
  readonly #after: Placement

  constructor([before, after]: Placements) {
    this.#before = before
    this.#after = after
    this.counts = Array.from({ length: before.placeCount }, () => {
      return new Array<number>(after.placeCount).fill(0)
    })
  }

  add(key: Uint8Array): void {
    const row = this.counts[this.#before.shardOf(key, 0, key.length)] as number[]
    const after = this.#after.shardOf(key, 0, key.length)
    row[after] = (row[after] as number) + 1
  }
}

const LINE_END = 0x0a

/** One key on each line, byte for byte; an empty line is no key. */
async function readKeys(path: string, onKey: (key: Buffer) => void): Promise<void> {
  const input = path === '-' ? process.stdin : createReadStream(path)
  let rest: Buffer = Buffer.alloc(0)
  try {
    for await (const chunk of input) {
      const bytes = Buffer.concat([rest, chunk as Buffer])
      let start = 0
      for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
        if (end > start) onKey(bytes.subarray(start, end))
        start = end + 1
      }
      rest = bytes.subarray(start)
      if (rest.length > DIFF_KEY_BYTES_MAX) throw new Error('a line is too long to be a key')
    }
  } catch (error) {
    throw new UsageError(`--keys: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (rest.length > 0) onKey(rest)
}

/** What the figures do not say. */
function notesOf(
  before: Rules,
  after: Rules,
  [owners, newOwners]: readonly [readonly Owner[], readonly Owner[]],
  exact: boolean,
): string[] {
  const notes: string[] = []
  const differs = (name: 'hashTag' | 'byteSign') => before[name] !== after[name]
  if ([before, after].some(({ distribution, shards }) => isRandom(distribution, shards.length))) {
    notes.push('with distribution random no key has a place: each request draws another shard')
  }
  if (!exact) notes.push('the hash functions differ: nearly every key is placed anew')
  if (differs('hashTag')) {
    notes.push('the hash tags differ: this holds for keys without one; give --keys for the others')
  }
  if (differs('byteSign')) {
    notes.push('the byte signs differ: this holds for ASCII keys; give --keys for the others')
  }
  if (before.hash.startsWith('crc') && before.hash !== 'crc32a') {
    notes.push(`${before.hash} spreads keys unevenly: give --keys for what your keys do`)
  }
  if (before.cluster !== undefined || after.cluster !== undefined) {
    notes.push('a cluster is one place here: which of its nodes has a key is its own affair')
    return notes
  }
  for (const [j, i] of matchShards(owners, newOwners).entries()) {
    const [old, recent] = [before.shards[i ?? -1], after.shards[j]]
    if (old === undefined || recent === undefined) continue
    if (owners[i ?? -1]?.place === newOwners[j]?.place) continue
    const addresses = `${shardAddressText(old)} -> ${shardAddressText(recent)}`
    notes.push(`${recent.name} is elsewhere (${addresses}): its keys must be there as well`)
  }
  return notes
}

function isRandom(distribution: string, shards: number): boolean {
  return distribution === 'random' && shards > 1
}
