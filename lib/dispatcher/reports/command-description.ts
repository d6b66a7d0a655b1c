/** One command as COMMAND describes it, from its row. */
import type { CommandRow, KeySpec } from '../../commands/row.ts'
import { SimpleString, type Value } from '../../resp/encode.ts'

/** ACL categories that follow from flags (acl.c, ACLSetImplicitCategories). */
export const IMPLICIT_CATEGORIES: ReadonlySet<string> = new Set(
  ['write', 'read', 'admin', 'dangerous', 'pubsub', 'fast', 'slow', 'blocking'].map(
    (name) => `@${name}`,
  ),
)

export function categoriesOf({ flags }: CommandRow): string[] {
  const categories = [
    flags.has('write') ? 'write' : '',
    flags.has('readonly') ? 'read' : '',
    flags.has('admin') ? 'admin' : '',
    flags.has('admin') ? 'dangerous' : '',
    flags.has('pubsub') ? 'pubsub' : '',
    flags.has('fast') ? 'fast' : 'slow',
    flags.has('blocking') ? 'blocking' : '',
  ]
  return categories.flatMap((name) => (name === '' ? [] : `@${name}`))
}

/** The ten parts of Redis 7: name, arity, flags, positions, categories, tips, key specs, subcommands. */
export function describeCommand(row: CommandRow): Value {
  const specs = row.flags.has('pubsub') ? [] : row.keySpecs
  return [
    row.name,
    row.arity,
    statuses(row.flags),
    ...keyRange(specs),
    statuses(categoriesOf(row)),
    new Set(tipsOf(row)),
    new Set(specs.map((spec) => describeKeySpec(spec, row.readonly))),
    [...(row.subcommands?.values() ?? [])].map(describeCommand),
  ]
}

function statuses(names: Iterable<string>): Value {
  return new Set([...names].map((name) => new SimpleString(name)))
}

function tipsOf({ requestPolicy, responsePolicy, handling }: CommandRow): string[] {
  const tips: string[] = []
  if (requestPolicy !== undefined) tips.push(`request_policy:${requestPolicy}`)
  // That of administration is ours, see defineCommand.
  if (responsePolicy !== undefined && handling !== 'admin') {
    tips.push(`response_policy:${responsePolicy}`)
  }
  return tips
}

/**
 * First key, last key and step, which is all that older clients read: of the specifications at fixed
 * places, joined as long as they are neighbours (server.c, populateCommandLegacyRangeSpec).
 */
function keyRange(specs: readonly KeySpec[]): [first: number, last: number, step: number] {
  let range: [number, number, number] | undefined
  for (const { begin, find } of specs) {
    if (begin.type !== 'index' || find.type !== 'range') continue
    const last = find.last < 0 ? find.last : begin.pos + find.last
    if (range === undefined) range = [begin.pos, last, find.step]
    else if (find.step === 1 && begin.pos === range[1] + 1) range[1] = last
  }
  return range ?? [0, 0, 0]
}

/** How a key is used the table does not say: as Redis does where it does not know, the worst. */
function describeKeySpec({ begin, find }: KeySpec, isReadonly: boolean): Value {
  const flags = isReadonly ? ['RO', 'access'] : ['RW', 'access', 'update']
  const [beginSpec, findSpec]: [[string, Value][], [string, Value][]] = [
    begin.type === 'index'
      ? [['index', begin.pos]]
      : [
          ['keyword', begin.keyword],
          ['startfrom', begin.startFrom],
        ],
    find.type === 'range'
      ? [
          ['lastkey', find.last],
          ['keystep', find.step],
          ['limit', find.limit],
        ]
      : [
          ['keynumidx', find.keyNumIndex],
          ['firstkey', find.firstKey],
          ['keystep', find.step],
        ],
  ]
  return new Map<string, Value>([
    ['flags', statuses(flags)],
    ['begin_search', typed(begin.type, beginSpec)],
    ['find_keys', typed(find.type, findSpec)],
  ])
}

function typed(type: string, spec: [string, Value][]): Value {
  return new Map<string, Value>([
    ['type', type],
    ['spec', new Map(spec)],
  ])
}
