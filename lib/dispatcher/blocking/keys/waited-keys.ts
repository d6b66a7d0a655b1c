/**
 * The keys for which one client waits, each where it is now. Where places move, as the slots of a cluster do, a
 * key is followed:
 *
 *      its place has another shard ─▶ it is looked at there, and watched
 *      something has happened to its place ─▶ its shard is asked again
 *      its shard refuses a look (MOVED, ASK ...), or is lost ─▶ one look goes wherever a request for the place
 *          goes, and finds what there is meanwhile; then its shard, or the next one, is asked again
 */
import { type Failure, OVERLOADED, UNBLOCKED } from '../../../failures.ts'
import { WATCH_ASTRAY_MS } from '../../../limits.ts'
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import { MINUS, parseInteger } from '../../../resp/bytes.ts'
import { type Frame, ownFrame } from '../../../upstream/backend.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import type { Shard } from '../../../upstream/shard.ts'
import type { Client } from '../../core/client.ts'
import type { KeyWait, KeyWaits } from './key-waits.ts'
import type { ShardWatch } from './shard-watch.ts'
import type { KeyWaiter, LookCommand, WatchedKey } from './watched-key.ts'

export interface PlacedKey {
  /** Who has it now. */
  readonly shard: Shard
  /** Nobody changes it. */
  readonly name: Buffer
  readonly place: number
}

/** Who waits. */
export interface Waiter {
  /** All keys have been looked at. */
  seen(): void
  /** There is something in one of them. */
  wake(): void
  /** It waits in vain. */
  giveUp(failure: Failure): void
}

export interface WaitedKeysOptions {
  readonly client: Client
  readonly waits: KeyWaits
  /** How each key is looked at. */
  readonly look: LookCommand
  /** Each once, in the order of the request. */
  readonly placed: readonly PlacedKey[]
  /** Undefined: no place moves. */
  readonly places: MovingPlaces | undefined
}

export class WaitedKeys implements KeyWaiter, KeyWait, ReplySink {
  readonly database: number | undefined
  readonly #options: WaitedKeysOptions
  readonly #waiter: Waiter
  readonly #keys: WatchedKey[]
  /** By key: who has it. */
  readonly #watches: ShardWatch[]
  /** Keys that are still to be looked at, where they are now, for the first time. */
  readonly #unseen: Set<number>
  /** The shards' errors to the first looks. */
  readonly #errors = new Map<number, Buffer>()
  /** A look by its place is under way. */
  readonly #strays = new Set<number>()
  /** Their shards are to be asked again after a while. */
  readonly #due = new Set<number>()
  /** By key: `changedAt` of its place when its shard was asked last. */
  readonly #changedAt: number[]
  readonly #endTouch: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #hasLeft = false

  constructor(options: WaitedKeysOptions, waiter: Waiter) {
    this.#options = options
    this.#waiter = waiter
    const { client, waits, look, placed } = options
    this.database = client.lane.database
    this.#watches = placed.map(({ shard }) => waits.watchOf(shard, client.lane))
    this.#keys = placed.map(({ name }, at) => (this.#watches[at] as ShardWatch).keyOf(name, look))
    this.#unseen = new Set(placed.keys())
    this.#changedAt = placed.map(({ place }) => options.places?.changedAt(place) ?? 0)
    this.#endTouch = options.places?.onTouch(() => this.#askSoon())
    waits.add(this)
  }

  /** Each where it is now, in the order of the request. */
  get keys(): readonly WatchedKey[] {
    return this.#keys
  }

  /** Why nothing can be had from the key of this number. */
  errorOf(at: number): Buffer | undefined {
    return this.#errors.get(at)
  }

  /** Why nothing can be had from one of them. */
  get firstError(): Buffer | undefined {
    return this.#errors.values().next().value
  }

  /** Looks at all. A shard that is lost may end the wait within the call. */
  join(): void {
    for (const key of [...this.#keys]) if (!this.#hasLeft) key.join(this)
  }

  leave(): void {
    this.#hasLeft = true
    clearTimeout(this.#timer)
    this.#endTouch?.()
    this.#options.waits.delete(this)
    for (const [at, key] of this.#keys.entries()) this.#watches[at]?.leave(key, this)
  }

  /** Sends a request for the key of this number to who has it. */
  send(at: number, frame: Frame, sink: ReplySink, ticket = at): void {
    const { client, places, placed } = this.#options
    const { session, lane, order } = client
    if (places === undefined) this.#keys[at]?.shard.send(session.id, lane, frame, sink, ticket)
    else places.send(order, lane, frame, (placed[at] as PlacedKey).place, sink, ticket)
  }

  /** KeyWaiter */
  wake(): void {
    this.#waiter.wake()
  }

  /** KeyWaiter */
  looked(key: WatchedKey, error: Buffer | undefined): void {
    const at = this.#keys.indexOf(key)
    if (at < 0 || this.#hasLeft || this.#isAstray(at, error)) return
    this.#seen(at, error)
  }

  /** KeyWaiter */
  erred(key: WatchedKey, error: Buffer): void {
    const at = this.#keys.indexOf(key)
    if (at >= 0 && !this.#hasLeft) this.#isAstray(at, error)
  }

  /** KeyWaiter: nothing was popped that the waiter does not know of. */
  giveUp(failure: Failure, shard: Shard): void {
    const isLost = failure.kind === 'unavailable' || failure === UNBLOCKED
    const there = this.#keys.flatMap((key, at) => (key.shard === shard ? [at] : []))
    if (isLost && there.every((at) => this.#mayMove(at))) for (const at of there) this.#stray(at)
    else this.#waiter.giveUp(failure)
  }

  /** Another shard may have the key's place, or take it. */
  #mayMove(at: number): boolean {
    const { places } = this.#options
    const { shard } = this.#keys[at] as WatchedKey
    return places !== undefined && (places.has(shard) || this.#ownerOf(at) !== shard)
  }

  /** KeyWait */
  moved(at: number, to: Shard): void {
    const { places } = this.#options
    const owner = this.#ownerOf(at)
    if (owner === to) {
      if (this.#keys[at]?.shard !== to) this.#join(at, to)
      return
    }
    // While nobody serves the place its keys wait; where no place moves another configuration has moved them.
    if (places === undefined || owner !== undefined) this.#waiter.giveUp(UNBLOCKED)
  }

  #ownerOf(at: number): Shard | undefined {
    const { places, placed } = this.#options
    return places?.ownerOf((placed[at] as PlacedKey).place)
  }

  #changedAtOf(at: number): number {
    const { places, placed } = this.#options
    return places?.changedAt((placed[at] as PlacedKey).place) ?? 0
  }

  #seen(at: number, error: Buffer | undefined): void {
    if (!this.#unseen.delete(at)) {
      // Something may have come since it was looked at where it was before.
      if (error === undefined && (this.#keys[at] as WatchedKey).available > 0) this.#waiter.wake()
      return
    }
    if (error !== undefined) this.#errors.set(at, error)
    if (this.#unseen.size === 0) this.#waiter.seen()
  }

  /** The key is at this shard from now on. */
  #join(at: number, shard: Shard): void {
    const { client, waits, placed, look } = this.#options
    const refusal = waits.refusalOf(shard, client.lane, 1)
    if (refusal !== undefined) {
      this.#waiter.giveUp(refusal)
      return
    }
    this.#watches[at]?.leave(this.#keys[at] as WatchedKey, this)
    const watch = waits.watchOf(shard, client.lane)
    const key = watch.keyOf((placed[at] as PlacedKey).name, look)
    this.#watches[at] = watch
    this.#keys[at] = key
    key.join(this)
  }

  /** Whether the error says that the shard does not have the key, or not now. */
  #isAstray(at: number, error: Buffer | undefined): boolean {
    const { places, placed } = this.#options
    if (error === undefined || places === undefined) return false
    const { place } = placed[at] as PlacedKey
    if (places.refusalIn(error, 0, error.length, place) === undefined) return false
    this.#stray(at)
    return true
  }

  #stray(at: number): void {
    if (this.#strays.has(at) || this.#due.has(at)) return
    this.#strays.add(at)
    this.send(at, ownFrame((this.#keys[at] as WatchedKey).look), this)
  }

  /** ReplySink: the reply to a look by the place of the key of this number. */
  reply(at: number, bytes: Buffer, start: number, end: number): void {
    this.#strays.delete(at)
    if (this.#hasLeft) return
    const key = this.#keys[at] as WatchedKey
    const isError = bytes[start] === MINUS
    key.available = isError ? 0 : (parseInteger(bytes, start + 1, end - 2) ?? 0)
    this.#due.add(at)
    this.#askSoon()
    if (this.#unseen.has(at)) {
      this.#seen(at, isError ? Buffer.from(bytes.subarray(start, end)) : undefined)
    } else if (key.available > 0) this.#waiter.wake()
  }

  /** ReplySink: unless a connection was lost nobody has served the place for as long as a request may take. */
  failed(at: number, failure: Failure): void {
    this.#strays.delete(at)
    if (this.#hasLeft) return
    if (failure.kind === 'lost') {
      // It was on its way as its master died, and a look executes nothing.
      this.#due.add(at)
      this.#askSoon()
      return
    }
    const { declined } = (this.#keys[at] as WatchedKey).shard.errors
    this.#waiter.giveUp(failure.kind === 'overloaded' ? OVERLOADED : declined)
  }

  #askSoon(): void {
    this.#timer ??= setTimeout(() => this.#askDue(), WATCH_ASTRAY_MS)
  }

  /** Asks for keys that are due, and for those to whose places something has happened: no shard announces that. */
  #askDue(): void {
    this.#timer = undefined
    for (const at of this.#keys.keys()) {
      if (this.#hasLeft) return
      const changedAt = this.#changedAtOf(at)
      if (!this.#due.delete(at) && changedAt === this.#changedAt[at]) continue
      this.#changedAt[at] = changedAt
      const key = this.#keys[at] as WatchedKey
      const owner = this.#ownerOf(at) ?? key.shard
      const isWatched = owner === key.shard && this.#watches[at]?.connection !== undefined
      if (!isWatched) this.#join(at, owner)
      // Its first look is this client's own.
      else if (this.#unseen.has(at)) key.join(this)
      else key.lookAgain()
    }
  }
}
