/**
 * One client's blocking pop of keys on several shards. It looks at all keys first, and then again at those that
 * their shards announce; and pops from the first that has something, in the order of the request, one pop at
 * a time: two might both succeed, and an element be lost.
 *
 *      looking ─▶ popping ─▶ over: the client has its element
 *         │         │  ▲
 *         │ nothing │  │ something has come
 *         ▼         ▼  │
 *         └─────▶ waiting ─▶ over: time is up, CLIENT UNBLOCK, a shard is lost
 *
 * What would end the wait during a pop ends it when that has its reply, unless this is an element.
 */
import type { Session } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import { MINUS } from '../../../resp/bytes.ts'
import { nullArrayFrame } from '../../../resp/encode.ts'
import { timerMs } from '../../../timer.ts'
import { ownFrame } from '../../../upstream/backend.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import type { Shard } from '../../../upstream/shard.ts'
import type { Blocked, UnblockReason } from '../../core/client.ts'
import { unblockedFrame } from '../unblocked.ts'
import { isNothing, type PopRequest } from './pop-request.ts'
import { WaitedKeys, type WaitedKeysOptions, type Waiter } from './waited-keys.ts'
import type { WatchedKey } from './watched-key.ts'

/** Memory of a key besides its name, bytes, rounded up: it is in two maps and a set. */
const KEY_BYTES = 512

export interface SeveralPopOptions extends Omit<WaitedKeysOptions, 'count'> {
  readonly pop: PopRequest
  /** Counts an element that was popped for a client that had left. */
  readonly onLost: () => void
}

/** What the client hears when nothing comes. */
interface Ending {
  readonly answer: Buffer | Failure
  /** Calls back whether it was this that has ended the wait. */
  readonly done?: ((ended: boolean) => void) | undefined
}

export class SeveralPop implements Waiter, Blocked, ReplySink {
  readonly shard: Shard
  unblocked = false
  readonly #options: SeveralPopOptions
  readonly #session: Session
  readonly #ticket: number
  readonly #keys: WaitedKeys
  #state: 'looking' | 'waiting' | 'popping' | 'over' = 'looking'
  #ending: Ending | undefined
  #timer: NodeJS.Timeout | undefined
  #endsMs = Number.POSITIVE_INFINITY
  /** Part of an element has gone to the client, or to nobody. */
  #hasBegun = false
  readonly #keptBytes: number

  /** From now on the client's later requests wait. */
  constructor(options: SeveralPopOptions) {
    const { client, pop, placed } = options
    const { session } = client
    this.#options = options
    this.#session = session
    this.#keys = new WaitedKeys({ ...options, count: pop.count }, this)
    this.shard = (this.#keys.keys[0] as WatchedKey).shard
    this.#keptBytes = placed.reduce((sum, { name }) => sum + KEY_BYTES + name.length, 0)
    session.keptBytes += this.#keptBytes
    this.#ticket = session.open()
    session.untime(this.#ticket)
    client.blocked = this
    session.hold(true)
  }

  begin(): void {
    if (this.#isOver) return
    const { timeoutMs } = this.#options.pop
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#endsMs = performance.now() + timeoutMs
      this.#setTimer()
    }
    this.#keys.join()
  }

  get #isOver(): boolean {
    return this.#state === 'over'
  }

  #setTimer(): void {
    const leftMs = this.#endsMs - performance.now()
    this.#timer = setTimeout(() => {
      if (performance.now() < this.#endsMs) this.#setTimer()
      else this.#endWith({ answer: nullArrayFrame(this.#options.client.lane.protocol) })
    }, timerMs(leftMs))
  }

  /** Waiter */
  seen(): void {
    for (let at = 0; at < this.#keys.keys.length; at++) {
      const refusal = this.#keys.errorOf(at)
      if (refusal !== undefined) {
        this.#finish(() => this.#session.reply(this.#ticket, refusal, 0, refusal.length, true))
        return
      }
      if (this.#popFrom(at)) return
    }
    this.#wait()
  }

  /** Waiter */
  wake(): void {
    if (this.#state === 'waiting') this.#popAny()
  }

  /** Waiter: nothing was popped that it does not know of. */
  giveUp(failure: Failure): void {
    if (this.#state !== 'looking') this.#endWith({ answer: failure })
    else this.#finish(() => this.#session.failed(this.#ticket, failure))
  }

  #popAny(): boolean {
    return this.#keys.keys.some((_, at) => this.#popFrom(at))
  }

  /** Whether a pop is under way, or has failed, so that it is no use to look further. */
  #popFrom(at: number): boolean {
    const key = this.#keyAt(at)
    if (key.available <= 0) return false
    key.available--
    this.#state = 'popping'
    this.#keys.send(at, ownFrame(this.#options.pop.frameFor(key.name)), this)
    return true
  }

  #keyAt(at: number): WatchedKey {
    return this.#keys.keys[at] as WatchedKey
  }

  #wait(): void {
    this.#state = 'waiting'
    if (this.#ending !== undefined) this.#endNow(this.#ending)
  }

  /** ReplySink: the reply to a pop, from the key of this number. */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const key = this.#keyAt(ticket)
    if (!this.#hasBegun && isNothing(bytes, start)) {
      if (!this.#isOver) this.#poppedNothing()
      return
    }
    const isError = !this.#hasBegun && bytes[start] === MINUS
    if (isError) {
      if (!this.#isOver) {
        this.#finish(() => this.#session.reply(this.#ticket, bytes, start, end, last))
      }
      key.lookAgain()
      return
    }
    if (this.#isOver) {
      if (!this.#hasBegun) this.#options.onLost()
      this.#hasBegun = true
      return
    }
    this.#pass(key, bytes, start, end, last)
  }

  #poppedNothing(): void {
    if (this.#ending === undefined && this.#popAny()) return
    this.#wait()
  }

  /** Passes an element on, or a part of it. */
  #pass(key: WatchedKey, bytes: Buffer, start: number, end: number, last: boolean): void {
    const session = this.#session
    if (this.#hasBegun) {
      if (last) this.#finish(() => session.reply(this.#ticket, bytes, start, end, true))
      else session.reply(this.#ticket, bytes, start, end, false)
      return
    }
    this.#hasBegun = true
    const { bytes: heading, skip } = this.#options.pop.heading(key.name)
    const whole = Buffer.concat([heading, bytes.subarray(start + skip, end)])
    if (last) this.#finish(() => session.reply(this.#ticket, whole, 0, whole.length, true))
    else session.reply(this.#ticket, whole, 0, whole.length, false)
  }

  /** ReplySink */
  failed(ticket: number, error: Failure): void {
    const key = this.#keyAt(ticket)
    // Shards have been asked meanwhile, for this client too.
    const truth = error.kind === 'unavailable' ? key.shard.errors.declined : error
    if (!this.#isOver) this.#finish(() => this.#session.failed(this.#ticket, truth))
    key.lookAgain()
  }

  /** Blocked: no shard knows a connection that waits. */
  shardClientId(): undefined {
    return undefined
  }

  /** Blocked */
  cutShort(reason: UnblockReason, done: (cutShort: boolean) => void): void {
    if (this.#ending !== undefined) {
      done(false)
      return
    }
    const { protocol } = this.#options.client.lane
    const answer = unblockedFrame(reason, protocol)
    this.#endWith({ answer, done })
  }

  /** Blocked */
  abandon(): void {
    this.#leave()
  }

  /** Nothing else comes first, unless it is found by what is under way. */
  #endWith(ending: Ending): void {
    if (this.#isOver || this.#ending !== undefined) return
    this.#ending = ending
    if (this.#state === 'waiting') this.#endNow(ending)
  }

  #endNow({ answer }: Ending): void {
    this.#finish(() => {
      if (Buffer.isBuffer(answer)) this.#session.settle(this.#ticket, answer)
      else this.#session.failed(this.#ticket, answer)
    }, true)
  }

  #finish(answer: () => void, hasEnded = false): void {
    this.#leave()
    this.#options.client.blocked = undefined
    answer()
    this.#session.release()
    this.#ending?.done?.(hasEnded)
  }

  #leave(): void {
    if (this.#isOver) return
    this.#state = 'over'
    clearTimeout(this.#timer)
    this.#keys.leave()
    this.#session.keptBytes -= this.#keptBytes
  }
}
