/**
 * One client's wait for keys on several shards: what all commands that can wait so have in common. The command
 * itself (`Doing`) says what is done when a key may have something.
 *
 *      looking ─▶ busy ─▶ over: the client has its reply
 *         │       │  ▲
 *         │ nothing  │ something has come
 *         ▼       ▼  │
 *         └────▶ waiting ─▶ over: time is up, CLIENT UNBLOCK, a shard is lost
 *
 * What would end the wait while the command is busy ends it when that has found nothing.
 */
import type { Session } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import { nullArrayFrame } from '../../../resp/encode.ts'
import { timerMs } from '../../../timer.ts'
import type { Shard } from '../../../upstream/shard.ts'
import type { Blocked, UnblockReason } from '../../core/client.ts'
import { unblockedFrame } from '../unblocked.ts'
import { WaitedKeys, type WaitedKeysOptions, type Waiter } from './waited-keys.ts'

/** Memory of a key besides its name, bytes, rounded up: it is in two maps and a set. */
const KEY_BYTES = 512

export interface SeveralWaitOptions extends WaitedKeysOptions {
  /** Milliseconds; Infinity: for ever. */
  readonly timeoutMs: number
}

/** What the command does with the keys. Each call ends with `busy`, `wait` or `finish`. */
export interface Doing {
  /** All keys have been looked at. */
  seen(): void
  /** There may be something in one of them. */
  again(): void
}

/** What the client hears when nothing comes. */
interface Ending {
  readonly answer: Buffer | Failure
  /** Calls back whether it was this that has ended the wait. */
  readonly done?: ((ended: boolean) => void) | undefined
}

export class SeveralWait implements Waiter, Blocked {
  readonly shard: Shard
  unblocked = false
  readonly keys: WaitedKeys
  /** Of the client's request. */
  readonly ticket: number
  readonly #options: SeveralWaitOptions
  readonly #doing: Doing
  readonly #session: Session
  #state: 'looking' | 'waiting' | 'busy' | 'over' = 'looking'
  /** Something has come since the command became busy. */
  #hasCome = false
  #ending: Ending | undefined
  #timer: NodeJS.Timeout | undefined
  #endsMs = Number.POSITIVE_INFINITY
  readonly #keptBytes: number

  /** From now on the client's later requests wait. */
  constructor(options: SeveralWaitOptions, doing: Doing) {
    const { client, placed } = options
    const { session } = client
    this.#options = options
    this.#doing = doing
    this.#session = session
    this.keys = new WaitedKeys(options, this)
    this.shard = (placed[0] as { readonly shard: Shard }).shard
    this.#keptBytes = placed.reduce((sum, { name }) => sum + KEY_BYTES + name.length, 0)
    session.keptBytes += this.#keptBytes
    this.ticket = session.open()
    session.untime(this.ticket)
    client.blocked = this
    session.hold(true)
  }

  begin(): void {
    if (this.isOver) return
    const { timeoutMs } = this.#options
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#endsMs = performance.now() + timeoutMs
      this.#setTimer()
    }
    this.keys.join()
  }

  /** Blocked */
  get waits(): boolean {
    return this.#state !== 'looking'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** The client will hear that nothing has come, unless what is under way finds something. */
  get isEnding(): boolean {
    return this.#ending !== undefined
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
    if (!this.isOver) this.#doing.seen()
  }

  /** Waiter */
  wake(): void {
    if (this.#state === 'waiting') this.#doing.again()
    else this.#hasCome = true
  }

  /** Waiter: nothing was done that the command does not know of. */
  giveUp(failure: Failure): void {
    if (this.#state !== 'looking') this.#endWith({ answer: failure })
    else this.finish(() => this.#session.failed(this.ticket, failure))
  }

  /** A request is under way for the client. */
  busy(): void {
    this.#state = 'busy'
    this.#hasCome = false
  }

  /** Nothing was found. */
  wait(): void {
    this.#state = 'waiting'
    if (this.#ending !== undefined) this.#endNow(this.#ending)
    else if (this.#hasCome) {
      this.#hasCome = false
      this.#doing.again()
    }
  }

  /** Blocked: no shard knows a connection that waits. */
  shardClientId(): undefined {
    return undefined
  }

  /** Blocked */
  cutShort(reason: UnblockReason, done: (cutShort: boolean) => void): void {
    if (this.isEnding) {
      done(false)
      return
    }
    const answer = unblockedFrame(reason, this.#options.client.lane.protocol)
    this.#endWith({ answer, done })
  }

  /** Blocked */
  abandon(): void {
    this.#leave()
  }

  /** Nothing else comes first, unless it is found by what is under way. */
  #endWith(ending: Ending): void {
    if (this.isOver || this.isEnding) return
    this.#ending = ending
    if (this.#state === 'waiting') this.#endNow(ending)
  }

  #endNow({ answer }: Ending): void {
    const session = this.#session
    this.finish(() => {
      if (Buffer.isBuffer(answer)) session.settle(this.ticket, answer)
      else session.failed(this.ticket, answer)
    }, true)
  }

  /** The wait is over. `answer`: tells the client. */
  finish(answer: () => void, hasEnded = false): void {
    this.#leave()
    this.#options.client.blocked = undefined
    answer()
    this.#session.release()
    this.#ending?.done?.(hasEnded)
  }

  #leave(): void {
    if (this.isOver) return
    this.#state = 'over'
    clearTimeout(this.#timer)
    this.keys.leave()
    this.#session.keptBytes -= this.#keptBytes
  }
}
