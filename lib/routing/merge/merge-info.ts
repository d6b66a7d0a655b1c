/**
 * Merges the shards' INFO texts into one that reads like one Redis's. Pure: texts in, sections out.
 * Counts, memory and rates add up; what describes one server is the first shard's.
 */

export interface InfoSection {
  /** As in `# Memory`. */
  readonly title: string
  readonly lines: readonly InfoLine[]
}

/** `used_memory:1024`. In a shard's text a name may come twice (modules). */
export type InfoLine = readonly [name: string, value: string]

export function parseInfo(text: string): InfoSection[] {
  const sections: { title: string; lines: InfoLine[] }[] = []
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (line.startsWith('# ')) sections.push({ title: line.slice(2), lines: [] })
    else if (colon > 0) sections.at(-1)?.lines.push([line.slice(0, colon), line.slice(colon + 1)])
  }
  return sections
}

/** Sections are separated by empty lines, as Redis does it. */
export function formatInfo(sections: readonly InfoSection[]): string {
  const texts = sections.map(({ title, lines }) => {
    return [`# ${title}`, ...lines.map(([name, value]) => `${name}:${value}`), ''].join('\r\n')
  })
  return texts.join('\r\n')
}

/** At least one text. With one there is nothing to merge: its lines stay as they are. */
export function mergeInfo(texts: readonly string[]): InfoSection[] {
  const parsed = texts.map(parseInfo)
  const [first] = parsed
  if (first === undefined || parsed.length === 1) return first ?? []
  const titles = new Set(parsed.flatMap((sections) => sections.map(({ title }) => title)))
  return [...titles].map((title) => {
    const sections = parsed.flatMap((all) => all.find((section) => section.title === title) ?? [])
    return { title, lines: mergeSection(title, sections) }
  })
}

/** The same, of a server that clients must take for a Redis by itself. */
export function asOneRedis(sections: readonly InfoSection[]): InfoSection[] {
  return sections.map(({ title, lines }) => ({
    title,
    lines: lines.map(([name, value]) => [name, FIXED[name] ?? value] as const),
  }))
}

/** Sections about one server, and Modules, whose lines all have one name. */
const OF_ONE_SERVER = new Set(['Server', 'Replication', 'Cluster', 'Modules'])

/** What every client may rely on, whatever the shards are. */
const FIXED: Readonly<Record<string, string>> = {
  redis_mode: 'standalone',
  server_mode: 'standalone',
  role: 'master',
  cluster_enabled: '0',
}

/**
 * Fields with the largest value of all shards. If one shard is loading, so are we; all shards have the
 * same scripts, functions, channels and patterns.
 */
const LARGEST =
  /^(async_)?loading$|^uptime_|_in_progress$|_scheduled$|_enabled$|_running$|_sec$|_usec$|^client_recent_max_|^number_of_|^pubsub(shard)?_(patterns|channels)$/
const SMALLEST = /^rdb_last_save_time$/
const MEAN = /_ratio$|_perc$/

function mergeSection(title: string, sections: readonly InfoSection[]): InfoLine[] {
  if (title === 'Modules') return [...(sections[0]?.lines ?? [])]
  const tables = sections.map(({ lines }) => new Map(lines))
  const merged = new Map<string, string>()
  for (const name of new Set(tables.flatMap((table) => [...table.keys()]))) {
    const values = tables.flatMap((table) => table.get(name) ?? [])
    // `used_memory_human` follows `used_memory`, of which it is another form.
    const bytes = name.endsWith('_human') ? merged.get(name.slice(0, -'_human'.length)) : undefined
    if (bytes !== undefined) merged.set(name, humanBytes(Number(bytes)))
    else merged.set(name, mergeValue(title, name, values))
  }
  return [...merged]
}

function mergeValue(title: string, name: string, values: readonly string[]): string {
  const [first = ''] = values
  const fixed = FIXED[name]
  if (fixed !== undefined) return fixed
  if (first.includes('=')) return mergeFields(values)
  const numbers = values.map(Number.parseFloat)
  if (LARGEST.test(name)) return `${Math.max(...numbers)}`
  if (SMALLEST.test(name)) return `${Math.min(...numbers)}`
  if (OF_ONE_SERVER.has(title)) return first
  if (MEAN.test(name)) return mean(numbers) + (first.endsWith('%') ? '%' : '')
  // A shard without a bound makes the whole unbounded.
  if (name === 'maxmemory' && numbers.includes(0)) return '0'
  if (values.every((value) => /^-?\d+$/.test(value))) {
    return `${values.reduce((sum, value) => sum + BigInt(value), 0n)}`
  }
  if (values.every((value) => /^-?\d+\.\d+$/.test(value))) {
    const decimals = first.length - first.indexOf('.') - 1
    return numbers.reduce((sum, number) => sum + number, 0).toFixed(decimals)
  }
  // A status: the first that is not well.
  return values.find((value) => value !== 'ok') ?? first
}

function mean(numbers: readonly number[]): string {
  return (numbers.reduce((sum, number) => sum + number, 0) / numbers.length).toFixed(2)
}

/** `keys=3,expires=1,avg_ttl=900`, of the keyspace, a command, an error or a command's latencies. */
function mergeFields(values: readonly string[]): string {
  const tables = values.map((value) => new Map(value.split(',').map((field) => splitField(field))))
  const sum = (name: string): number => {
    return tables.reduce((total, table) => total + Number(table.get(name) ?? 0), 0)
  }
  const names = [...new Set(tables.flatMap((table) => [...table.keys()]))]
  return names.map((name) => `${name}=${mergeField(name, tables, sum)}`).join(',')
}

function splitField(field: string): [string, string] {
  const equals = field.indexOf('=')
  return [field.slice(0, equals), field.slice(equals + 1)]
}

function mergeField(
  name: string,
  tables: readonly ReadonlyMap<string, string>[],
  sum: (name: string) => number,
): string {
  if (name === 'usec_per_call') return (sum('usec') / Math.max(1, sum('calls'))).toFixed(2)
  if (name === 'avg_ttl') {
    // The mean over all keys that expire, not over the shards.
    const total = tables.reduce((ms, table) => {
      return ms + Number(table.get('avg_ttl')) * Number(table.get('expires'))
    }, 0)
    return `${Math.round(total / Math.max(1, sum('expires')))}`
  }
  // The percentile over all shards is unknown; the largest of the shards' is an upper bound.
  if (/^p\d/.test(name)) return Math.max(...tables.map((t) => Number(t.get(name) ?? 0))).toFixed(3)
  return `${sum(name)}`
}

/** As Redis's bytesToHuman. */
function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  const units = ['K', 'M', 'G', 'T', 'P']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(2)}${units[power - 1]}`
}
