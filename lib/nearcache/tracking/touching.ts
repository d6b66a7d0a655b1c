/**
 * Tells shards which keys are read here. No hit reaches a shard, so that one that evicts by use (`maxmemory`
 * with an LRU or LFU policy) would take the hottest keys for cold ones. TOUCH counts as a use of a key and
 * does nothing else.
 */
import type { Turn } from '../../io/turn.ts'
import { CR, parseInteger } from '../../resp/bytes.ts'
import { requestFrame } from '../../resp/encode.ts'
import type { NearCacheStats } from '../../stats/near-cache-stats.ts'
import { timerMs } from '../../timer.ts'
import type { Entries } from '../memory/entries.ts'
import type { NearCacheSettings } from '../near-cache-settings.ts'
import { ask } from './own-request.ts'
import type { Source } from './source.ts'

const INFO_MEMORY = requestFrame(['INFO', 'memory'])

/** Operators change the policy of a server that runs. */
const ASK_AGAIN_MS = 60_000

const KEYS_PER_COMMAND = 100
/** A cluster takes no command with keys of two slots. */
const KEYS_PER_CLUSTER_COMMAND = 1

/** Of an error that says nothing about the key. */
const REFUSED = /^-(?:NOPERM|ERR)/

/** Each `nearCacheTouchMs` is divided into so many, so that neither we nor a shard do all at once. */
const PARTS = 16

/** What a shard has said of its policy. */
interface Policy {
  readonly evictsByUse: boolean
  readonly askedMs: number
}

/** What is told of; a reload changes it. */
export interface Touched {
  readonly settings: NearCacheSettings
  readonly entries: Entries
}

export class Touching {
  readonly #touched: Touched
  readonly #sources: { readonly tracked: readonly Source[] }
  readonly #turn: Turn
  readonly #stats: NearCacheStats
  readonly #policies = new WeakMap<Source, Policy>()
  #timer: NodeJS.Timeout | undefined

  /** Begins at once. */
  constructor(
    touched: Touched,
    sources: { readonly tracked: readonly Source[] },
    turn: Turn,
    stats: NearCacheStats,
  ) {
    this.#touched = touched
    this.#sources = sources
    this.#turn = turn
    this.#stats = stats
    this.restart()
  }

  /** Goes on as the settings say by now. */
  restart(): void {
    this.close()
    const { nearCacheTouchMs } = this.#touched.settings
    if (nearCacheTouchMs === 0) return
    this.#timer = setInterval(() => this.touchPart(), timerMs(nearCacheTouchMs / PARTS))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Tells of one part of all entries; as often as there are parts, of all. */
  touchPart(): void {
    const sources = this.#sources.tracked.filter((source) => this.#evictsByUse(source))
    if (sources.length === 0) return
    const keys = new Map<number, Uint8Array[]>(sources.map(({ number }) => [number, []]))
    const { arena, log } = this.#touched.entries
    log.tellHits(PARTS, (at) => {
      keys.get(log.sources[at] as number)?.push(keyOf(arena, log.offsets[at] as number))
    })
    for (const source of sources) this.#touch(source, keys.get(source.number) ?? [])
  }

  #touch(source: Source, keys: readonly Uint8Array[]): void {
    this.#stats.touches += keys.length
    const step = source.ownership === undefined ? KEYS_PER_COMMAND : KEYS_PER_CLUSTER_COMMAND
    for (let from = 0; from < keys.length; from += step) {
      const some = keys.slice(from, from + step)
      ask(source.connection, requestFrame(['TOUCH', ...some]), (reply) => {
        // Without the right to do it there is no point in going on.
        if (reply !== undefined && REFUSED.test(reply)) this.#learn(source, false)
      })
    }
  }

  /** Not before it has answered. */
  #evictsByUse(source: Source): boolean {
    const policy = this.#policies.get(source)
    if (policy === undefined || this.#turn.now() - policy.askedMs >= ASK_AGAIN_MS) {
      this.#learn(source, policy?.evictsByUse ?? false)
      ask(source.connection, INFO_MEMORY, (reply) => {
        if (reply !== undefined) this.#learn(source, evictsByUse(reply))
      })
    }
    return policy?.evictsByUse ?? false
  }

  #learn(source: Source, evicts: boolean): void {
    this.#policies.set(source, { evictsByUse: evicts, askedMs: this.#turn.now() })
  }
}

/** `info`: the reply to INFO. A server that does not tell may evict. */
export function evictsByUse(info: string): boolean {
  const policy = /\bmaxmemory_policy:(\S+)/.exec(info)?.[1]
  if (policy === undefined) return true
  return /lru|lfu/.test(policy) && !/\bmaxmemory:0\s/.test(info)
}

/** The first argument of the request, in canonical form, that begins at `start`. */
function keyOf(bytes: Buffer, start: number): Uint8Array {
  const count = bytes.indexOf(CR, start)
  const name = bytes.indexOf(CR, count + 2)
  const nameBytes = parseInteger(bytes, count + 3, name) as number
  const header = name + 2 + nameBytes + 2
  const key = bytes.indexOf(CR, header)
  const keyBytes = parseInteger(bytes, header + 1, key) as number
  return bytes.subarray(key + 2, key + 2 + keyBytes)
}
