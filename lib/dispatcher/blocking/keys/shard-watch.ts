/**
 * A connection over which one shard announces changes of keys to the clients of one lane: RESP3 and CLIENT
 * TRACKING, in which every read makes the shard announce the next change of its keys
 * (https://redis.io/docs/latest/develop/reference/client-side-caching/). Nobody pops over it.
 */
import { type Failure, UNBLOCKED, watchRefused } from '../../../failures.ts'
import { WATCH_AGAIN_MS, WATCH_IDLE_MS, WATCH_LOOK_MS, WATCHED_KEYS_MAX } from '../../../limits.ts'
import { type ChangedKeys, readAnnouncement } from '../../../nearcache/tracking/invalidations.ts'
import { ask, isOk, wordsOf } from '../../../nearcache/tracking/own-request.ts'
import { requestFrame } from '../../../resp/encode.ts'
import type { ShardConnection } from '../../../upstream/connection/connection.ts'
import type { Lane } from '../../../upstream/lane.ts'
import type { Shard } from '../../../upstream/shard.ts'
import { type KeySource, type KeyWaiter, type LookCommand, WatchedKey } from './watched-key.ts'

const TRACKING = requestFrame(['CLIENT', 'TRACKING', 'ON'])

/** One key name has an entry for each kind of it that is waited for. */
const KINDS: Readonly<Record<LookCommand, string>> = { LLEN: 'l', ZCARD: 'z', XLEN: 'x' }

export class ShardWatch implements ChangedKeys, KeySource {
  readonly shard: Shard
  readonly #lane: Lane
  readonly #onClose: () => void
  /** By kind and name, latin-1. */
  readonly #keys = new Map<string, WatchedKey>()
  #connection: ShardConnection | undefined
  /** The shard has said that it tracks. */
  #tracks = false
  /** How the shard has worded that it does not take the connection. */
  #rejection: string | undefined
  #refusal: { readonly failure: Failure; readonly untilMs: number } | undefined
  #timer: NodeJS.Timeout | undefined
  #neededMs = 0
  /** A part of an announcement has come whose keys are not looked for. */
  #isCut = false

  /** `onClose`: it is of no use any more. */
  constructor(shard: Shard, lane: Lane, onClose: () => void) {
    this.shard = shard
    this.#lane = lane
    this.#onClose = onClose
  }

  /** Why nobody can wait here now; undefined: it is worth a try. */
  get refusal(): Failure | undefined {
    const refusal = this.#refusal
    return refusal !== undefined && performance.now() < refusal.untilMs
      ? refusal.failure
      : undefined
  }

  /** Whether so many more keys are too many. */
  isFullFor(keys: number): boolean {
    return this.#keys.size + keys > WATCHED_KEYS_MAX
  }

  /** KeySource */
  get connection(): ShardConnection | undefined {
    return this.#connection
  }

  /** The key of this name, which somebody is about to wait for, or to leave. */
  keyOf(name: Buffer, look: LookCommand): WatchedKey {
    if (this.#connection === undefined) this.#open()
    const id = KINDS[look] + name.toString('latin1')
    const known = this.#keys.get(id)
    const key = known ?? new WatchedKey(this, id, name, look)
    if (known === undefined) this.#keys.set(id, key)
    return key
  }

  leave(key: WatchedKey, waiter: KeyWaiter): void {
    key.waiters.delete(waiter)
    if (key.waiters.size === 0 && this.#keys.get(key.id) === key) this.#keys.delete(key.id)
    this.#neededMs = performance.now()
  }

  /** ChangedKeys */
  changed(bytes: Buffer, start: number, end: number): void {
    const name = bytes.toString('latin1', start, end)
    for (const kind of Object.values(KINDS)) this.#keys.get(kind + name)?.changed()
  }

  #open(): void {
    this.#tracks = false
    this.#rejection = undefined
    this.#isCut = false
    const connection = this.shard.openWatch(this.#lane, () => {
      if (connection === this.#connection) this.#closed()
    })
    this.#connection = connection
    connection.watchPushes((bytes, start, end, last) => {
      if (connection === this.#connection) this.#announced(bytes, start, end, last)
      return true
    })
    connection.onceSettled((rejection) => {
      if (connection === this.#connection) this.#rejection = rejection
    })
    ask(connection, TRACKING, (reply) => {
      if (connection !== this.#connection || reply === undefined) return
      if (isOk(reply)) this.#tracks = true
      else this.#refuse(wordsOf(reply))
    })
    this.#neededMs = performance.now()
    this.#timer ??= setInterval(() => this.#lookAround(), WATCH_LOOK_MS)
  }

  #announced(bytes: Buffer, start: number, end: number, last: boolean): void {
    if (!last || this.#isCut) {
      this.#isCut = !last
      if (last) this.#lookAtAll()
      return
    }
    const said = readAnnouncement(bytes, start, end, this)
    if (said === 'all') this.#lookAtAll()
    if (said === 'broken') this.#connection?.close()
  }

  /**
   * What the shard does not announce, as that databases were swapped, or what stands between us has swallowed, is
   * seen all the same; and a shard that is gone without a word is noticed.
   */
  #lookAround(): void {
    if (this.#keys.size > 0) {
      if (this.#connection === undefined || this.#connection.state === 'closed') this.#closed()
      else this.#lookAtAll()
    } else if (performance.now() - this.#neededMs >= WATCH_IDLE_MS) {
      this.close()
    }
  }

  #lookAtAll(): void {
    for (const key of [...this.#keys.values()]) key.changed()
  }

  /** The connection is lost, or the shard has another server. */
  #closed(): void {
    const hadTracked = this.#tracks
    const rejection = this.#rejection
    this.#connection = undefined
    this.#tracks = false
    if (this.shard.closed) {
      this.#giveUp(UNBLOCKED)
      this.close()
    } else if (rejection !== undefined) {
      this.#refuse(rejection)
    } else if (hadTracked && this.#keys.size > 0) {
      this.#open()
      for (const key of [...this.#keys.values()]) key.renew()
    } else {
      this.#giveUp(this.shard.errors.declined)
    }
  }

  #refuse(words: string): void {
    const failure = watchRefused(this.shard.name, words)
    this.#refusal = { failure, untilMs: performance.now() + WATCH_AGAIN_MS }
    const connection = this.#connection
    this.#connection = undefined
    connection?.close()
    this.#giveUp(failure)
  }

  #giveUp(failure: Failure): void {
    const waiters = new Set([...this.#keys.values()].flatMap((key) => [...key.waiters]))
    for (const waiter of waiters) waiter.giveUp(failure, this.shard)
  }

  /** Nobody waits here any more. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    const connection = this.#connection
    this.#connection = undefined
    connection?.close()
    this.#onClose()
  }
}
