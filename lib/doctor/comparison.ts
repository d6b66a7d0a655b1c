/** Findings that need several shards to be compared. Pure. */
import { agree } from '../commands/learning/agree.ts'
import type { CommandDefinition } from '../commands/row.ts'
import type { ShardConfig } from '../config/config.ts'
import { DOCTOR_RING_EXCESS_PERCENT, LOGGED_NAMES_MAX } from '../limits.ts'
import { type Check, type Finding, note, problem, well } from './finding.ts'
import type { ShardInfo } from './shard-info.ts'

/** A shard that told about itself. */
export interface Told {
  readonly shard: ShardConfig
  readonly info: ShardInfo
}

/**
 * Finds shards that are one and the same Redis, by its run id: a copied line in a list of shards.
 */
export function sameServers(told: readonly Told[]): Finding[] {
  const findings: Finding[] = []
  for (const group of groups(told, ({ info }) => info.get('run_id'))) {
    if (group.length < 2) continue
    const names = listed(group.map(({ shard }) => shard.name))
    const databases = new Set(group.map(({ shard }) => shard.database))
    const apart = databases.size === group.length
    findings.push(
      apart
        ? note(
            'same',
            undefined,
            `${names} are databases of one and the same Redis`,
            'They share its single core and its memory, and FLUSHALL empties them all.',
          )
        : problem(
            'same',
            undefined,
            `${names} are one and the same Redis`,
            'SCAN, KEYS and DBSIZE count its keys twice, and nothing is spread. Was a line copied?',
          ),
    )
  }
  const enough = told.length > 1 && told.every(({ info }) => info.has('run_id'))
  if (findings.length === 0 && enough) {
    findings.push(well('same', undefined, `${told.length} different servers`))
  }
  return findings
}

/** What all shards should have in common, and why. */
const ALIKE: readonly (readonly [Check, field: string, what: string, why: string])[] = [
  [
    'policy',
    'maxmemory_policy',
    'maxmemory-policy',
    'A full shard then does something else with its keys than the others. Set one for all.',
  ],
  [
    'version',
    'redis_version',
    'version',
    'A command that only some have works for some keys only. Use one for all.',
  ],
]

export function differences(told: readonly Told[]): Finding[] {
  if (told.length < 2) return []
  return ALIKE.flatMap(([check, field, what, why]) => {
    const parts = groups(told, ({ info }) => info.get(field)).map((group) => {
      return `${group[0]?.info.get(field)} (${listed(group.map(({ shard }) => shard.name))})`
    })
    if (parts.length > 1)
      return [note(check, undefined, `${what} differs: ${parts.join(', ')}`, why)]
    return check === 'policy' && parts.length === 1
      ? [well(check, undefined, `${told[0]?.info.get(field)} everywhere`)]
      : []
  })
}

function groups<Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined): Item[][] {
  const byKey = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    byKey.set(key, [...(byKey.get(key) ?? []), item])
  }
  return [...byKey.values()]
}

/** A shard that told its commands. */
export interface Commanded {
  readonly name: string
  readonly commands: readonly CommandDefinition[]
}

/**
 * Finds commands that some shards lack. A built-in command that is sent to shards (`sent` has their
 * names) then works for some keys and fails for others; any other command is refused for all keys.
 */
export function commandDifferences(
  shards: readonly Commanded[],
  sent: ReadonlySet<string>,
): Finding[] {
  if (shards.length < 2) return []
  const { differing } = agree(shards.map(({ commands }) => commands))
  if (differing.length === 0) {
    return [well('commands', undefined, `the same on ${shards.length} shards`)]
  }
  const names = shards.map(({ commands }) => namesOf(commands))
  const lacking = groups(
    differing.filter((name) => names.some((known) => !known.has(name))).sort(),
    (name) => lackedBy(name, shards, names),
  )
  const findings = lacking.flatMap((group) =>
    missing(group, lackedBy(group[0] ?? '', shards, names), sent),
  )
  const described = differing.filter((name) => names.every((known) => known.has(name)))
  if (described.length > 0) {
    const saw = `shards describe differently: ${listed(described)}`
    findings.push(note('commands', undefined, saw, 'Other versions or modules; use one for all.'))
  }
  return findings
}

function lackedBy(
  name: string,
  shards: readonly Commanded[],
  names: readonly ReadonlySet<string>[],
): string {
  return listed(shards.flatMap((shard, at) => (names[at]?.has(name) ? [] : [shard.name])))
}

function missing(names: readonly string[], where: string, sent: ReadonlySet<string>): Finding[] {
  const partly = names.filter((name) => sent.has(name))
  const refused = names.filter((name) => !sent.has(name))
  return [
    ...(partly.length === 0
      ? []
      : [
          problem(
            'commands',
            undefined,
            `missing on ${where}: ${listed(partly)}`,
            'They work for the keys of the other shards only. Look for rename-command there, or another version.',
          ),
        ]),
    ...(refused.length === 0
      ? []
      : [
          note(
            'commands',
            undefined,
            `missing on ${where}: ${listed(refused)}`,
            'They are refused for all keys. Load the module, or use the version, on all shards.',
          ),
        ]),
  ]
}

function namesOf(commands: readonly CommandDefinition[]): Set<string> {
  return new Set(commands.flatMap(({ name, subcommands }) => [name, ...namesOf(subcommands ?? [])]))
}

/** How the ring spreads the keys, against what the weights ask for. */
export function ringBalance(shards: readonly ShardConfig[], shares: readonly number[]): Finding[] {
  if (shards.length < 2) return []
  const total = shards.reduce((sum, { weight }) => sum + weight, 0)
  const uneven = shards.flatMap(({ name, weight }, at) => {
    const [share, wanted] = [shares[at] ?? 0, weight / total]
    if (share <= wanted * (1 + DOCTOR_RING_EXCESS_PERCENT / 100)) return []
    return [`${name} has ${percent(share)} instead of ${percent(wanted)}`]
  })
  if (uneven.length > 0) {
    const advice = 'Other names or weights place the points otherwise, and move keys: see `diff`.'
    return [note('ring', undefined, `uneven: ${listed(uneven)}`, advice)]
  }
  const [least, most] = [Math.min(...shares), Math.max(...shares)]
  return [well('ring', undefined, `from ${percent(least)} to ${percent(most)} of the keys a shard`)]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** The first names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - LOGGED_NAMES_MAX
  const shown = names.slice(0, LOGGED_NAMES_MAX).join(', ')
  return more > 0 ? `${shown} and ${more} more` : shown
}
