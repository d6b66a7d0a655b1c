/**
 * One key of one shard for which clients wait. Every look at it asks the shard how many elements it has,
 * and from then on the shard announces its next change.
 *
 *      look ─▶ a number: so many of those who wait are woken, in the order in which they came
 *      announcement ─▶ look
 *
 * Entries of a stream stay when they are read: all who wait are woken, but only if it may have changed.
 *
 * While somebody waits, either a look is under way or the shard will announce the first change after the last one.
 */
import { type Failure, OVERLOADED } from '../../../failures.ts'
import { MINUS, parseInteger } from '../../../resp/bytes.ts'
import { requestFrame } from '../../../resp/encode.ts'
import type { ShardConnection } from '../../../upstream/connection/connection.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import type { Shard } from '../../../upstream/shard.ts'

/** Tells how many elements a key of one type has. */
export type LookCommand = 'LLEN' | 'ZCARD' | 'XLEN'

/** Who waits for something in several keys. */
export interface KeyWaiter {
  /** There is something in one of its keys. */
  wake(): void
  /** Its own look at the key has ended. `error`: the shard's, why there is nothing to be had. */
  looked(key: WatchedKey, error: Buffer | undefined): void
  /** Another's look at the key has ended with this error of the shard's. */
  erred(key: WatchedKey, error: Buffer): void
  /** It waits in vain for what the shard has. */
  giveUp(failure: Failure, shard: Shard): void
}

/** Where a key is looked at. */
export interface KeySource {
  readonly shard: Shard
  readonly connection: ShardConnection | undefined
}

export class WatchedKey {
  readonly shard: Shard
  readonly name: Buffer
  /** By which its watch knows it. */
  readonly id: string
  /** The request that asks how many elements it has. */
  readonly look: Buffer
  /** In the order in which they came. */
  readonly waiters = new Set<KeyWaiter>()
  /** Elements that the last look has seen and that nobody here has asked for since. */
  available = 0
  readonly #source: KeySource
  /** Whoever finds something in it leaves it there. */
  readonly #stays: boolean
  /** It may have changed since the last look that has been answered. */
  #mayHaveChanged = false
  /** Looks under way. */
  #looks = 0
  /** Their own looks were lost with the connection. */
  readonly #unanswered = new Set<KeyWaiter>()

  constructor(source: KeySource, id: string, name: Buffer, command: LookCommand) {
    this.shard = source.shard
    this.#source = source
    this.id = id
    this.name = name
    this.look = requestFrame([command, name])
    this.#stays = command === 'XLEN'
  }

  /** From now on it waits, and has a look of its own, behind all that its client has done. */
  join(waiter: KeyWaiter): void {
    this.waiters.add(waiter)
    this.#look(waiter)
  }

  /** It has changed, or may have. */
  changed(): void {
    this.#mayHaveChanged = true
    // By the order of the connection a look that is still to be answered comes after the change.
    if (this.#looks === 0) this.lookAgain()
  }

  /** Looks whatever is under way: one who has come for an element has not taken it. */
  lookAgain(): void {
    this.#mayHaveChanged = true
    if (this.waiters.size > 0) this.#look(undefined)
  }

  /** There is another connection, which knows nothing of the key. */
  renew(): void {
    this.#mayHaveChanged = true
    const unanswered = [...this.#unanswered].filter((waiter) => this.waiters.has(waiter))
    this.#unanswered.clear()
    if (unanswered.length === 0) this.lookAgain()
    for (const waiter of unanswered) this.#look(waiter)
  }

  #look(waiter: KeyWaiter | undefined): void {
    this.#looks++
    const look = new Look(this, waiter)
    const { connection } = this.#source
    if (connection === undefined) look.failed(0, this.shard.errors.declined)
    else connection.send(look, 0, this.look, 0, this.look.length, true)
  }

  /** A look has ended with this reply. */
  heard(bytes: Buffer, start: number, end: number, waiter: KeyWaiter | undefined): void {
    this.#looks--
    const mayHaveChanged = this.#mayHaveChanged
    this.#mayHaveChanged = false
    if (bytes[start] === MINUS) {
      this.#erred(Buffer.from(bytes.subarray(start, end)), waiter)
      return
    }
    this.available = parseInteger(bytes, start + 1, end - 2) ?? 0
    if (mayHaveChanged || !this.#stays) this.#wake()
    waiter?.looked(this, undefined)
  }

  #wake(): void {
    for (const each of [...this.waiters]) {
      // A stream may have become empty because its group has gone, which ends the wait.
      if (this.available <= 0 && !this.#stays) break
      each.wake()
    }
  }

  #erred(error: Buffer, waiter: KeyWaiter | undefined): void {
    // Whoever waits already goes on waiting while the key holds something else, as in Redis.
    this.available = 0
    for (const each of [...this.waiters]) if (each !== waiter) each.erred(this, error)
    waiter?.looked(this, error)
  }

  /** A look has no answer. It executes nothing that its client has asked for. */
  notHeard({ kind }: Failure, waiter: KeyWaiter | undefined): void {
    this.#looks--
    if (waiter === undefined) return
    // With its connection: whoever has that opens another one, or knows better why there is none.
    if (kind === 'lost' || kind === 'unavailable') this.#unanswered.add(waiter)
    else {
      const { declined } = this.shard.errors
      waiter.giveUp(kind === 'overloaded' ? OVERLOADED : declined, this.shard)
    }
  }
}

class Look implements ReplySink {
  readonly #key: WatchedKey
  readonly #waiter: KeyWaiter | undefined

  constructor(key: WatchedKey, waiter: KeyWaiter | undefined) {
    this.#key = key
    this.#waiter = waiter
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number): void {
    this.#key.heard(bytes, start, end, this.#waiter)
  }

  failed(_ticket: number, failure: Failure): void {
    this.#key.notHeard(failure, this.#waiter)
  }
}
