/**
 * What deserves an operator's look: slow requests, big replies, hot keys. The data path makes one
 * comparison for each, and reports the rare hits. One object serves all generations, so entries
 * outlive a reload.
 */
import { HOT_KEY_SAMPLING, HOT_KEYS_SHOWN } from '../../limits.ts'
import { InHand } from '../in-hand.ts'
import { BigReplies } from './big-replies.ts'
import { HotKeys, type ShownHotKey } from './hot-keys.ts'
import type { LookoutPart } from './lookout-part.ts'
import { keptKey, type ShowKeys, shownKey } from './shown-key.ts'
import { SlowLog } from './slow-log.ts'

export interface LookoutSettings {
  /** 0: no request is slow. */
  readonly slowRequestMs: number
  /** 0: no reply is big. */
  readonly bigReplyBytes: number
  readonly hotKeys: boolean
  readonly showKeys: ShowKeys
}

export interface LookoutOptions {
  /** Default: an object of its own. */
  readonly inHand?: InHand
  /** The name of the command whose row has this id. */
  readonly nameOf?: (command: number) => string
  /** Monotonic milliseconds. */
  readonly clock?: () => number
  /** The id of the first entry of each log; 0 by default. */
  readonly idsFrom?: number
  /** 0 <= x < 1. */
  readonly random?: () => number
}

export class Lookout {
  readonly inHand: InHand
  readonly nameOf: (command: number) => string
  readonly slowLog: SlowLog
  readonly bigReplies: BigReplies
  /** A request that takes so long is slow; Infinity: none is. */
  slowMs = Number.POSITIVE_INFINITY
  /** The size from which on a reply is big, bytes; Infinity: no reply is. */
  bigBytes = Number.POSITIVE_INFINITY
  /** Keys are noted in clear. */
  keepsKeys = false
  #show: ShowKeys = 'hashed'
  #hotKeys: HotKeys | undefined
  /** How many keys pass until the next one is counted. */
  #untilSample = 1
  readonly #clock: () => number
  readonly #random: () => number

  constructor(options: LookoutOptions = {}) {
    this.inHand = options.inHand ?? new InHand()
    this.nameOf = options.nameOf ?? String
    this.slowLog = new SlowLog(options.idsFrom)
    this.bigReplies = new BigReplies(options.idsFrom)
    this.#clock = options.clock ?? (() => performance.now())
    this.#random = options.random ?? Math.random
  }

  configure({ slowRequestMs, bigReplyBytes, hotKeys, showKeys }: LookoutSettings): void {
    this.slowMs = slowRequestMs === 0 ? Number.POSITIVE_INFINITY : slowRequestMs
    this.bigBytes = bigReplyBytes === 0 ? Number.POSITIVE_INFINITY : bigReplyBytes
    // Keys are counted by name or by hash, and the two do not mix.
    if (!hotKeys || showKeys !== this.#show) this.#hotKeys = undefined
    if (hotKeys) this.#hotKeys ??= new HotKeys()
    this.#show = showKeys
    this.keepsKeys = showKeys === 'clear'
  }

  get countsKeys(): boolean {
    return this.#hotKeys !== undefined
  }

  /** The sum of counted keys; older ones count for less than one. */
  get sampledKeys(): number {
    return this.#hotKeys?.samples ?? 0
  }

  /** The request that is sent next is about the key `bytes[start, end)`, which has this hash (an int32). */
  isAbout(hash: number, bytes: Buffer, start: number, end: number): void {
    const { inHand } = this
    inHand.keyHash = hash >>> 0
    if (this.keepsKeys) inHand.key = keptKey(bytes, start, end)
  }

  /** Whether this key is one of those that are counted. Asked once for each key. */
  isSample(): boolean {
    return this.#hotKeys !== undefined && --this.#untilSample <= 0
  }

  /** Counts the key `bytes[start, end)`, which has this hash (an int32). */
  countKey(hash: number, bytes: Buffer, start: number, end: number, shard: string): void {
    // At random, since requests may come in a rhythm of their own.
    this.#untilSample = 1 + ((this.#random() * (2 * HOT_KEY_SAMPLING - 1)) | 0)
    const name = this.keepsKeys ? keptKey(bytes, start, end) : hash
    this.#hotKeys?.count(name, hash >>> 0, shard, this.#clock())
  }

  /** The hottest first. */
  hottestKeys(): ShownHotKey[] {
    const hotKeys = this.#hotKeys
    if (hotKeys === undefined) return []
    const nowMs = this.#clock()
    const perSecond = hotKeys.perSecond(nowMs) * HOT_KEY_SAMPLING
    return hotKeys
      .hottest(nowMs)
      .slice(0, HOT_KEYS_SHOWN)
      .map(({ name, hash, shard, share }) => ({
        key: this.shown(hash, typeof name === 'string' ? name : undefined),
        shard,
        share,
        requestsPerSecond: share * perSecond,
      }))
  }

  /** All that is noted, in full. */
  get part(): LookoutPart {
    return {
      slow: this.slowLog.newest(),
      big: this.bigReplies.largest(Date.now()),
      hot: this.hottestKeys(),
      sampledKeys: this.sampledKeys,
    }
  }

  /** A key as it may be shown now; null: not at all. */
  shown(hash: number, key: string | undefined): string | null {
    return shownKey(this.#show, hash, key)
  }
}
