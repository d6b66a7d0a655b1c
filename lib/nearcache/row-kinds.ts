/** What a command means to a cache, from its row alone. */
import type { CommandRow } from '../commands/row.ts'

/** Nothing: it changes no key, and its reply is not kept. */
export const INDIFFERENT = 0
/** Reads one key, the first argument, and answers the same until the key changes. */
export const READS = 1
/** Reads several keys, each as a command of the first kind would: MGET. */
export const READS_SEVERAL = 2
/** Changes the keys that it names, and no others. */
export const WRITES = 3
/** May change any key. */
export const WRITES_ANYTHING = 4
/** A script or function: it names keys and may change others. */
export const RUNS_SCRIPT = 5

/**
 * Redis tells of each change to a key that one of these has read. Not among them: what changes with time
 * (TTL), what is random, what the server keeps about a key besides its value (OBJECT), what reads keys that
 * it does not name (SORT_RO).
 */
const READERS = new Set(
  (
    'get getrange strlen getbit bitcount hget hmget hgetall hexists hlen hkeys hvals hstrlen smembers ' +
    'sismember smismember scard lrange lindex llen lpos zrange zrangebyscore zrangebylex zrevrange zscore ' +
    'zmscore zrank zrevrank zcard zcount zlexcount xlen xrange exists type pfcount geopos geodist ' +
    'geohash'
  ).split(' '),
)

const SCRIPTS = new Set(['eval', 'evalsha', 'fcall'])

/** They name keys and change none. */
const HARMLESS = new Set(['watch', 'publish', 'spublish'])

export class RowKinds {
  /** By row id. Rows are learnt while we run, and stay as they are. */
  #kinds = new Uint8Array(0)

  of(row: CommandRow): number {
    const { id } = row
    if (id >= this.#kinds.length) this.#grow(id)
    const known = this.#kinds[id] as number
    if (known !== 0) return known - 1
    const kind = kindOf(row)
    this.#kinds[id] = kind + 1
    return kind
  }

  #grow(id: number): void {
    const kinds = new Uint8Array(2 * id + 256)
    kinds.set(this.#kinds)
    this.#kinds = kinds
  }
}

function kindOf(row: CommandRow): number {
  const { name, flags, handling, keySpecs } = row
  if (READERS.has(name)) return READS
  if (name === 'mget') return READS_SEVERAL
  if (SCRIPTS.has(name)) return RUNS_SCRIPT
  if (row.readonly || HARMLESS.has(name)) return INDIFFERENT
  if (flags.has('write')) return keySpecs.length > 0 ? WRITES : WRITES_ANYTHING
  if (handling === 'admin') return WRITES_ANYTHING
  // Nobody says that it only reads: a module's command, perhaps.
  return keySpecs.length > 0 ? WRITES : INDIFFERENT
}

/** Whether a request of this kind has one key, its first argument. EXISTS and PFCOUNT may have several. */
export function hasOneKey(row: CommandRow, argc: number): boolean {
  return row.fixedKey === 1 || argc === 2
}
