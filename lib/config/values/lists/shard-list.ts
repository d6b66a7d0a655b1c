/**
 * The shard list: comma-separated entries, or in a file a list of entries and objects.
 *
 *   [name=]host:port[*weight]
 *   [name=]redis://[user:password@]host[:port][/database][?weight=N&replica=host:port...]  also rediss://
 *   [name=]redis+sentinel://[user:password@]master[/database][?weight=N]  also rediss+sentinel://
 *   [name=]redis+sentinel://sentinel:port,sentinel:port/master[...]        alone in its list
 *   [name=]unix:///path[?weight=N]
 *   redis+cluster://[user:password@]host:port,host:port   a Redis Cluster; all are its seeds
 *   { name: ..., url: any of the above without its name, weight: N }
 *
 * `{0..2}` anywhere in an entry repeats it with 0, 1 and 2; all ranges of one entry count together.
 * Credentials are percent-encoded, as in any URL. An unnamed shard is called `host:port` as
 * written, as in twemproxy, and an unnamed unix socket by its path.
 *
 * No message shows credentials, not even of an entry that cannot be read.
 */
import { SHARD_NAME_BYTES_MAX, SHARDS_MAX } from '../../../limits.ts'
import { clusterText, shardAddressText } from '../address.ts'
import { type Format, isRawMap, type Parsed, type Problem, type Raw, shown } from '../formats.ts'
import { Refusal, readAddress, readClusterUrl, readSeed, readWeight } from '../shard-url.ts'
import type { ClusterConfig, SeedAddress, ShardConfig, ShardList } from '../types.ts'

/** One entry before its ranges are expanded. */
interface Entry {
  readonly name: string | undefined
  readonly address: string
  /** From an object's own `weight`; undefined when the address may carry one. */
  readonly weight: string | undefined
  readonly at: readonly (string | number)[]
}

/** Reads one piece, and keeps what is wrong with it. `display`: the piece, safe to show. */
type Attempt = (at: Problem['at'], display: string, work: () => void) => void

export const shardList: Format<ShardList> = {
  accepts:
    '[name=]host:port[*weight], [name=]redis://[user:password@]host:port[/db][?weight=N' +
    '&replica=host:port], [name=]redis+sentinel://master or [name=]unix:///path, separated by ' +
    'commas; {0..2} repeats an entry; or a cluster: redis+cluster://host:port,host:port',
  parse: parseShardList,
  text: ({ shards, cluster }) => {
    return cluster === undefined ? shards.map(shardAddressText).join(',') : clusterText(cluster)
  },
}

function parseShardList(raw: Raw): Parsed<ShardList> {
  const problems: Problem[] = []
  const shards: ShardConfig[] = []
  let cluster: ClusterConfig | undefined
  const attempt: Attempt = (at, display, work) => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      problems.push({ at, text: display === '' ? error.message : `${display} ${error.message}` })
    }
  }
  attempt([], '', () => {
    const items = listItems(raw)
    const secretive = items.some((item) => typeof item === 'string' && item.includes('@'))
    const attemptItem = (index: number, work: () => void) => {
      const at = typeof raw === 'string' ? [] : [index]
      attempt(at, displayed(items[index] ?? '', secretive), work)
    }
    if (CLUSTER.test(addressIn(items[0]))) {
      cluster = readCluster(items, attemptItem)
      return
    }
    for (const [index, item] of items.entries()) {
      attemptItem(index, () => {
        const entry = readEntry(item, typeof raw === 'string' ? [] : [index])
        shards.push(...expandRanges(entry, SHARDS_MAX - shards.length).map(readShard))
      })
    }
    refuseRepeatedNames(shards)
  })
  return problems.length > 0 ? { problems } : { value: { shards, cluster } }
}

const CLUSTER = /^(?:[^=/?]*=)?rediss?\+cluster:\/\//i

function addressIn(item: Raw | undefined): string {
  const url = isRawMap(item) ? item['url'] : item
  return typeof url === 'string' ? url : ''
}

/**
 * Reads a cluster. The first item has the scheme and the credentials. All items are seeds: texts, or lists of texts.
 */
function readCluster(
  items: readonly Raw[],
  attemptItem: (index: number, work: () => void) => void,
): ClusterConfig {
  const seeds: SeedAddress[] = []
  let cluster: ClusterConfig = { seeds, tls: false, username: undefined, password: undefined }
  for (const [index, item] of items.entries()) {
    attemptItem(index, () => {
      const { name, weight, address } = readEntry(item, [])
      if (name !== undefined || weight !== undefined) {
        throw new Refusal('has a name or a weight: a cluster and its seeds have neither')
      }
      const { seed, ...rest } = index === 0 ? readClusterUrl(address) : { seed: address }
      if (index === 0) cluster = { ...cluster, ...rest }
      for (const text of seed.split(',')) {
        const entry = { name, address: text, weight, at: [] }
        const expanded = expandRanges(entry, SHARDS_MAX - seeds.length)
        seeds.push(...expanded.map((each) => readSeed(each.address)))
      }
    })
  }
  return cluster
}

/**
 * Splits text at the commas between entries. Commas inside a URL that names its sentinels do not
 * count.
 */
function entriesOf(text: string): string[] {
  const isOne =
    /^(?:[^=/?,]*=)?rediss?\+sentinel:\/\/(?:[^@/]*@)?[^/,]*:[0-9]+(?:,[^/,]+)*\/[^,]*$/i
  return isOne.test(text.trim()) ? [text.trim()] : text.split(',').map((item) => item.trim())
}

function listItems(raw: Raw): readonly Raw[] {
  const items = typeof raw === 'string' ? entriesOf(raw) : raw
  if (!Array.isArray(items))
    throw new Refusal('is not a list of shards; write [a=host:port, b=host:port]')
  if (items.length === 0) throw new Refusal('holds no shard')
  // A comma inside a password cuts the password in two; this is its second half.
  if (items.some((item) => typeof item === 'string' && /^(?:(?!:\/\/).)*@/s.test(item))) {
    throw new Refusal(
      'has an "@" outside a URL: credentials are written redis://user:password@host:port, ' +
        'a comma or a slash in them as %2C or %2F',
    )
  }
  return items
}

/**
 * The entry for a message, without anything that may be a credential. In a list with credentials, a
 * URL without any may be the first half of a URL that a comma has cut.
 */
function displayed(item: Raw, secretive: boolean): string {
  if (typeof item === 'string') {
    const cut = secretive && !item.includes('@')
    return shown(cut ? item.replace(/:\/\/.*/s, '://***') : withoutCredentials(item))
  }
  const name = isRawMap(item) ? item['name'] : undefined
  return typeof name === 'string' ? `shard ${shown(name)}` : shown(item)
}

function withoutCredentials(text: string): string {
  return text.replace(/:\/\/.*@/s, '://***@')
}

function readEntry(item: Raw, at: Entry['at']): Entry {
  if (typeof item === 'string') {
    if (item === '') throw new Refusal('is an empty entry')
    const [, name, address] = /^(?:([^=/?]*)=)?(.*)$/s.exec(item) ?? []
    return { name, address: address ?? '', weight: undefined, at }
  }
  if (!isRawMap(item)) throw new Refusal('is neither an address nor an object with a url')
  const text = (key: string): string | undefined => {
    const value = item[key]
    if (value === undefined || typeof value === 'string') return value
    throw new Refusal(`needs text for ${key}`)
  }
  const unknown = Object.keys(item).find((key) => !['name', 'url', 'weight'].includes(key))
  if (unknown !== undefined) {
    throw new Refusal(`has an unknown key ${shown(unknown)}; a shard has name, url and weight`)
  }
  const address = text('url')
  if (address === undefined) throw new Refusal('has no url')
  return { name: text('name'), address, weight: text('weight'), at }
}

/** `a{0..2}` to a0, a1, a2. All ranges of one entry take the same number at the same time. */
function expandRanges(entry: Entry, countMax: number): Entry[] {
  const whole = `${entry.name ?? ''}${entry.address}`
  const ranges = new Set(whole.match(/\{[0-9]+\.\.[0-9]+\}/g) ?? [])
  if (/[{}]/.test(whole.replace(/\{[0-9]+\.\.[0-9]+\}/g, ''))) {
    throw new Refusal('has a brace that is not a range like {0..2}; in a password write %7B or %7D')
  }
  if (ranges.size > 1) throw new Refusal(`has different ranges: ${[...ranges].join(' and ')}`)
  const range = [...ranges][0]
  if (range === undefined && countMax >= 1) return [entry]
  const [first, last] = (range ?? '{0..0}').slice(1, -1).split('..').map(Number) as [number, number]
  if (last < first) throw new Refusal(`has a range that counts down: ${range}`)
  if (last - first + 1 > countMax) throw new Refusal(`makes more than ${SHARDS_MAX} shards`)
  const fill = (text: string, number: number): string => text.replaceAll(range ?? '', `${number}`)
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    ...entry,
    name: entry.name === undefined ? undefined : fill(entry.name, first + index),
    address: fill(entry.address, first + index),
  }))
}

function readShard({ name, address, weight }: Entry): ShardConfig {
  const shard = readAddress(address)
  if (weight !== undefined && shard.weight !== undefined) throw new Refusal('has its weight twice')
  return {
    ...shard,
    name: checkedName(name ?? shard.name),
    weight: weight === undefined ? (shard.weight ?? 1) : readWeight(weight),
  }
}

function checkedName(name: string): string {
  const problem = shardNameProblem(name)
  if (problem !== undefined) throw new Refusal(problem)
  return name
}

/** What is wrong with a shard's name; undefined when nothing is. */
export function shardNameProblem(name: string): string | undefined {
  if (name === '') return 'has an empty name'
  if (/[\p{Cc}\s]/u.test(name)) return 'has a space or a control character in its name'
  if (Buffer.byteLength(name) > SHARD_NAME_BYTES_MAX) {
    return `has a name longer than ${SHARD_NAME_BYTES_MAX} bytes`
  }
  return undefined
}

function refuseRepeatedNames(shards: readonly ShardConfig[]): void {
  const seen = new Set<string>()
  for (const { name } of shards) {
    if (seen.has(name)) {
      throw new Refusal(
        `has two shards named ${shown(name)}; give them different names: a=host:port`,
      )
    }
    seen.add(name)
  }
}
