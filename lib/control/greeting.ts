/** What a server says about itself in its reply to HELLO, and one greeting for several servers. */
import { GREETING_BYTES_MAX, GREETING_MODULES_MAX, GREETING_TEXT_BYTES_MAX } from '../limits.ts'
import { type DoubleFormat, formatDouble, formatShortest } from '../resp/double.ts'

/** A module as HELLO describes it: `name`, `ver` and whatever a newer server tells besides. */
export type ModuleFacts = ReadonlyMap<string, string | number | readonly string[]>

export interface Greeting {
  /** `redis` or `valkey`. */
  readonly server: string
  /** `7.0.15`; undefined when the server tells none that looks like a version. */
  readonly version: string | undefined
  readonly modules: readonly ModuleFacts[]
}

/** What clients are told before a shard has told. */
export const GREETING_UNTIL_KNOWN: Greeting = { server: 'redis', version: '7.0.0', modules: [] }

/** A version goes into our own reply, so its form is checked. */
const VERSION = /^\d{1,9}(\.\d{1,9}){0,3}$/
const SERVER = /^[a-z]{1,32}$/

/** Reads HELLO's reply in RESP2, names and values in turn, as a client gives it that keeps numbers as text. */
export function parseGreeting(reply: unknown): Greeting {
  const fields = pairs(reply)
  const server = fields.get('server')
  const modules = fields.get('modules')
  return {
    server: typeof server === 'string' && SERVER.test(server) ? server : 'redis',
    version: versionOf(fields.get('version')),
    modules: withinBound(listOf(modules).slice(0, GREETING_MODULES_MAX).flatMap(moduleFacts)),
  }
}

/** Whether the server says, in the same reply, that it is a node of a Redis Cluster. */
export function isOfCluster(reply: unknown): boolean {
  return pairs(reply).get('mode') === 'cluster'
}

/** `text` if it looks like a version. */
export function versionOf(text: unknown): string | undefined {
  return typeof text === 'string' && VERSION.test(text) ? text : undefined
}

/**
 * The greeting of a server that can do only what all of these can: the lowest version, and the modules
 * that all have.
 */
export function commonGreeting(greetings: readonly Greeting[]): Greeting {
  const [first, ...others] = greetings
  if (first === undefined) return GREETING_UNTIL_KNOWN
  const versions = greetings.flatMap(({ version }) => version ?? [])
  const [lowest] = versions.sort(compareVersions)
  return {
    server: first.server,
    version: lowest ?? GREETING_UNTIL_KNOWN.version,
    modules: first.modules.filter((module) => others.every((other) => has(other, module))),
  }
}

function has({ modules }: Greeting, module: ModuleFacts): boolean {
  return modules.some((other) => other.get('name') === module.get('name'))
}

/** Redis has written scores with as few digits as will do since 7.2, and so does all of Valkey. */
export function scoreFormat({ server, version }: Greeting): DoubleFormat {
  const isOld = server === 'redis' && compareVersions(version ?? '', '7.2') < 0
  return isOld ? formatDouble : formatShortest
}

/** Compares number by number: 7.0.15 comes after 7.0.2. */
function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function moduleFacts(reply: unknown): ModuleFacts[] {
  const facts = [...pairs(reply)].flatMap(([name, value]) => {
    const fact = name === 'ver' ? Number(value) : factOf(value)
    return fact === undefined || !isSendable(fact) ? [] : [[name, fact] as const]
  })
  const named = facts.some(([name, fact]) => name === 'name' && typeof fact === 'string')
  return named ? [new Map(facts)] : []
}

/** An infinite number or a fraction would be invalid RESP. */
function isSendable(fact: number | string | readonly string[]): boolean {
  return typeof fact !== 'number' || Number.isSafeInteger(fact)
}

/** The first modules that go into a reply of a reasonable size, for every client that connects. */
function withinBound(modules: readonly ModuleFacts[]): ModuleFacts[] {
  let bytes = 0
  return modules.filter((module) => {
    for (const [name, fact] of module) bytes += sizeOf(name) + sizeOf(fact)
    return bytes <= GREETING_BYTES_MAX
  })
}

/** About the bytes that a value takes in RESP. */
function sizeOf(value: string | number | readonly string[]): number {
  const texts = typeof value === 'object' ? value : [String(value)]
  return texts.reduce((sum, text) => sum + FRAME_BYTES + Buffer.byteLength(text), FRAME_BYTES)
}

/** `$1024\r\n` and the line end. */
const FRAME_BYTES = 9

function factOf(value: unknown): string | readonly string[] | undefined {
  if (Array.isArray(value)) return value.flatMap((each) => textOf(each) ?? [])
  return textOf(value)
}

function textOf(value: unknown): string | undefined {
  const isShort = typeof value === 'string' && value.length <= GREETING_TEXT_BYTES_MAX
  return isShort ? value : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function pairs(reply: unknown): ReadonlyMap<string, unknown> {
  const list = listOf(reply)
  const fields = new Map<string, unknown>()
  for (let i = 0; i + 1 < list.length; i += 2) fields.set(String(list[i]), list[i + 1])
  return fields
}
