/** What `diff` prints, for people and for scripts. */
import { clusterText } from '../../config/values/address.ts'
import { columns } from '../columns.ts'
import type { Rules } from '../ring.ts'
import type { Difference, PartDifference, WholeDifference } from './difference.ts'
import type { Movement } from './movement.ts'

/** Pairs of shards that are listed; --json has them all. */
const MOVES_SHOWN_MAX = 20

interface Words {
  readonly before: string
  readonly after: string
}

export function diffText(difference: WholeDifference, words: Words): string {
  const { routes, pools, notes } = difference
  return [
    sidesText(difference, words),
    ...movedText(difference),
    ...notesText(notes),
    ...[...routes, ...pools].flatMap(partText),
  ].join('\n')
}

function movedText({ ring, keys, sampled }: Difference): string[] {
  const how = sampled === 0 ? 'counted on the rings' : `estimated with ${grouped(sampled)} keys`
  return [
    `${percent(ring.moved)} of the keys move (${how})\n`,
    movementText(ring, percent),
    ...(keys === undefined ? [] : [keysText(keys)]),
  ]
}

function notesText(notes: readonly string[]): string[] {
  return notes.length === 0 ? [] : [notes.map((note) => `note: ${note}\n`).join('')]
}

function partText({ title, difference }: PartDifference): string[] {
  const [moved = '', ...tables] = movedText(difference)
  return [`${title}\n${moved}`, ...tables, ...notesText(difference.notes)]
}

function sidesText({ before, after }: Difference, words: Words): string {
  const row = (label: string, word: string, rules: Rules) => [
    label,
    word.length > WORD_SHOWN_MAX ? `${word.slice(0, WORD_SHOWN_MAX)}...` : word,
    ownersText(rules),
    rules.cluster === undefined ? `${rules.hash} ${rules.distribution} ${rules.hashTag}` : 'slots',
  ]
  return columns([
    row('old', withoutSecret(words.before), before),
    row('new', withoutSecret(words.after), after),
  ])
}

function ownersText({ shards, cluster }: Rules): string {
  if (cluster !== undefined) return 'a cluster'
  return `${shards.length} ${shards.length === 1 ? 'shard' : 'shards'}`
}

/** Longer lists of shards are cut. */
const WORD_SHOWN_MAX = 60

/** A list of shards may have passwords in it. */
function withoutSecret(word: string): string {
  return word.replace(/\/\/[^,]*@/g, '//***@')
}

function keysText(keys: Movement): string {
  const share = keys.total === 0 ? '' : ` (${percent(keys.moved / keys.total)})`
  const head = `${grouped(keys.moved)} of ${grouped(keys.total)} keys given move${share}\n`
  return `${head}\n${movementText(keys, grouped)}`
}

function movementText({ moves, shards }: Movement, shown: (amount: number) => string): string {
  const side = (amount: number | undefined) => (amount === undefined ? '-' : shown(amount))
  const table = columns(
    [
      ['shard', 'old', 'new'],
      ...shards.map(({ name, before, after }) => [name, side(before), side(after)]),
    ],
    [1, 2],
  )
  if (moves.length === 0) return table
  const rows = moves
    .slice(0, MOVES_SHOWN_MAX)
    .map(({ from, to, amount }) => [from, to, shown(amount)])
  const more = moves.length - rows.length
  const rest = more > 0 ? `and ${more} smaller moves, which --json has\n` : ''
  return `${columns([['from', 'to', 'moves'], ...rows], [2])}${rest}\n${table}`
}

function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '< 0.1 %'
  return `${(share * 100).toFixed(1)} %`
}

function grouped(count: number): string {
  return count.toLocaleString('en')
}

/** The shape is documented in docs/operations.md; additions are no breaking change. */
export function diffJson({ before, after, routes, pools, ...own }: WholeDifference): string {
  const part = ({ names, difference }: PartDifference) => ({ ...names, ...reportOf(difference) })
  const report = {
    old: rulesJson(before),
    new: rulesJson(after),
    ...reportOf(own),
    routes: routes.map(part),
    pools: pools.map(part),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

function rulesJson({ shards, cluster, hash, distribution, hashTag, byteSign }: Rules) {
  return {
    shards: shards.map(({ name }) => name),
    ...(cluster === undefined ? {} : { cluster: clusterText(cluster) }),
    ...{ hash, distribution, hashTag, byteSign },
  }
}

function reportOf({ ring, sampled, keys, notes }: Omit<Difference, 'before' | 'after'>) {
  return {
    ring: { exact: sampled === 0, ...movementJson(ring, 'share') },
    keys: keys === undefined ? null : movementJson(keys, 'keys'),
    notes,
  }
}

function movementJson({ moved, total, moves, shards }: Movement, amount: 'share' | 'keys') {
  return {
    moved,
    total,
    moves: moves.map((move) => ({ from: move.from, to: move.to, [amount]: move.amount })),
    shards: shards.map(({ name, before, after }) => {
      return { name, before: before ?? null, after: after ?? null }
    }),
  }
}
