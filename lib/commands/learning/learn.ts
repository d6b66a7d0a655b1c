/**
 * Reads what a shard says about its commands: the entries of a COMMAND reply, which a client has
 * decoded into arrays, sets, maps or objects. Redis 7 tells key specifications, policies and
 * subcommands; Redis 6 and older tell first key, last key and step only. The handling is inferred
 * (define.ts). An entry that is not understood is left out, so requests for its command are
 * refused.
 */
import { defineCommand } from '../define.ts'
import type { BeginSearch, CommandDefinition, FindKeys, KeySpec } from '../row.ts'
import { type CommandFacts, keyPositions, requestPolicy, responsePolicy } from './facts.ts'

/** Names go into errors, metrics and documents: printable ASCII, and no longer than errors show. */
const NAME = /^[!-~]{1,128}$/

/** The places of a COMMAND entry's parts. 6 has the ACL categories, which do not matter here. */
const PLACE = {
  name: 0,
  arity: 1,
  flags: 2,
  first: 3,
  last: 4,
  step: 5,
  tips: 7,
  specs: 8,
  subcommands: 9,
}

/** All commands of a COMMAND reply that can be understood. */
export function learnCommands(reply: unknown): CommandDefinition[] {
  return listOf(reply).flatMap((entry) => learnCommand(entry) ?? [])
}

/** One entry of a COMMAND reply, with its subcommands. */
export function learnCommand(entry: unknown): CommandDefinition | undefined {
  const command = learnOne(entry, undefined)
  if (command === undefined) return undefined
  const members = listOf(listOf(entry)[PLACE.subcommands])
  if (members.length === 0) return defineCommand(command)
  const subcommands = members.flatMap((member) => {
    const subcommand = learnOne(member, command.name)
    return subcommand === undefined ? [] : defineCommand(subcommand)
  })
  return defineCommand({ ...command, subcommands })
}

function learnOne(entry: unknown, container: string | undefined): CommandFacts | undefined {
  const parts = listOf(entry)
  const writtenName = textOf(parts[PLACE.name])
  const name = writtenName?.toLowerCase()
  const arity = integerOf(parts[PLACE.arity])
  if (name === undefined || !NAME.test(name) || arity === undefined || arity === 0) return undefined
  if (!isMember(name, container)) return undefined
  const flags = new Set(textsOf(parts[PLACE.flags]))
  const tips = textsOf(parts[PLACE.tips])
  return {
    name,
    writtenName,
    arity,
    flags,
    ...learnKeys(parts, flags),
    requestPolicy: requestPolicy(tipOf(tips, 'request_policy:')),
    responsePolicy: responsePolicy(tipOf(tips, 'response_policy:')),
    subcommands: undefined,
  }
}

/** Redis 7 writes a subcommand's name as `config|set`, and the name of a command without a bar. */
function isMember(name: string, container: string | undefined): boolean {
  const bar = name.indexOf('|')
  return container === undefined ? bar === -1 : name.slice(0, bar) === container
}

function learnKeys(
  parts: readonly unknown[],
  flags: ReadonlySet<string>,
): Pick<CommandFacts, 'keySpecs' | 'keysUnknown'> {
  const movable = flags.has('movablekeys')
  const told = listOf(parts[PLACE.specs])
  if (told.length === 0) {
    const [first, last, step] = [PLACE.first, PLACE.last, PLACE.step].map((at) =>
      integerOf(parts[at]),
    )
    return { keySpecs: keyPositions(first ?? 0, last ?? 0, step ?? 0), keysUnknown: movable }
  }
  const keySpecs = told.flatMap((spec) => learnKeySpec(spec) ?? [])
  // A row that says its keys move, but has only fixed places: a function inside a module finds the
  // rest.
  const moves = keySpecs.some(
    ({ begin, find }) => begin.type === 'keyword' || find.type === 'keynum',
  )
  return { keySpecs, keysUnknown: keySpecs.length < told.length || (movable && !moves) }
}

/** Undefined for what the specification itself calls unknown or incomplete. */
function learnKeySpec(value: unknown): KeySpec | undefined {
  const spec = fieldsOf(value)
  if (textsOf(spec.get('flags')).includes('incomplete')) return undefined
  const begin = learnBegin(fieldsOf(spec.get('begin_search')))
  const find = learnFind(fieldsOf(spec.get('find_keys')))
  return begin && find && { begin, find }
}

function learnBegin(search: ReadonlyMap<string, unknown>): BeginSearch | undefined {
  const spec = fieldsOf(search.get('spec'))
  const type = textOf(search.get('type'))
  if (type === 'index') {
    const pos = integerOf(spec.get('index'))
    return pos !== undefined && pos > 0 ? { type, pos } : undefined
  }
  const keyword = textOf(spec.get('keyword'))
  const startFrom = integerOf(spec.get('startfrom'))
  if (type !== 'keyword' || !keyword || !startFrom) return undefined
  return { type, keyword: keyword.toUpperCase(), startFrom }
}

function learnFind(search: ReadonlyMap<string, unknown>): FindKeys | undefined {
  const spec = fieldsOf(search.get('spec'))
  const type = textOf(search.get('type'))
  const step = integerOf(spec.get('keystep'))
  if (step === undefined || step < 1) return undefined
  if (type === 'range') {
    const last = integerOf(spec.get('lastkey'))
    const limit = integerOf(spec.get('limit'))
    return last === undefined || limit === undefined ? undefined : { type, last, step, limit }
  }
  const keyNumIndex = integerOf(spec.get('keynumidx'))
  const firstKey = integerOf(spec.get('firstkey'))
  if (type !== 'keynum' || keyNumIndex === undefined || firstKey === undefined) return undefined
  return keyNumIndex < 0 || firstKey < 0 ? undefined : { type, keyNumIndex, firstKey, step }
}

function tipOf(tips: readonly string[], prefix: string): string | undefined {
  return tips.find((tip) => tip.startsWith(prefix))?.slice(prefix.length)
}

/** A RESP2 array or a RESP3 set. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value instanceof Set ? [...value] : []
}

function textsOf(value: unknown): string[] {
  return listOf(value).flatMap((item) => textOf(item) ?? [])
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined
}

/** Clients that keep every digit give integers as text or as bigint. */
function integerOf(value: unknown): number | undefined {
  const exact = typeof value === 'string' && /^-?\d+$/.test(value)
  const number = typeof value === 'bigint' || exact ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

/** A RESP3 map, as clients give it, or the RESP2 array of names and values in turn. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  if (value instanceof Map) return new Map([...value].map(([name, field]) => [String(name), field]))
  if (!Array.isArray(value)) return new Map(Object.entries(value ?? {}))
  const fields = new Map<string, unknown>()
  for (let i = 0; i + 1 < value.length; i += 2) fields.set(String(value[i]), value[i + 1])
  return fields
}
