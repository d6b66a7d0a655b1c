/**
 * One client's blocking pop of keys on several shards. It looks at all keys first, and then again at those that
 * their shards announce; and pops from the first that has something, in the order of the request, one pop at
 * a time: two might both succeed, and an element be lost.
 */
import type { Session } from '../../../downstream/session.ts'
import type { Failure } from '../../../failures.ts'
import { MINUS } from '../../../resp/bytes.ts'
import { ownFrame } from '../../../upstream/backend.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import { type Doing, SeveralWait } from '../keys/several-wait.ts'
import type { WaitedKeysOptions } from '../keys/waited-keys.ts'
import type { WatchedKey } from '../keys/watched-key.ts'
import { isNothing } from '../nothing.ts'
import type { PopRequest } from './pop-request.ts'

export interface SeveralPopOptions extends Omit<WaitedKeysOptions, 'look'> {
  readonly pop: PopRequest
  /** Counts an element that was popped for a client that had left. */
  readonly onLost: () => void
}

export class SeveralPop implements Doing, ReplySink {
  readonly #options: SeveralPopOptions
  readonly #session: Session
  readonly #wait: SeveralWait
  /** Part of an element has gone to the client, or to nobody. */
  #hasBegun = false

  /** From now on the client's later requests wait. */
  constructor(options: SeveralPopOptions) {
    const { client, pop } = options
    this.#options = options
    this.#session = client.session
    const { look, timeoutMs } = pop
    this.#wait = new SeveralWait({ ...options, look, timeoutMs }, this)
  }

  begin(): void {
    this.#wait.begin()
  }

  /** Doing */
  seen(): void {
    const { keys, ticket } = this.#wait
    for (let at = 0; at < keys.keys.length; at++) {
      const refusal = keys.errorOf(at)
      if (refusal !== undefined) {
        this.#wait.finish(() => this.#session.reply(ticket, refusal, 0, refusal.length, true))
        return
      }
      if (this.#popFrom(at)) return
    }
    this.#wait.wait()
  }

  /** Doing */
  again(): void {
    if (!this.#popAny()) this.#wait.wait()
  }

  #popAny(): boolean {
    return this.#wait.keys.keys.some((_, at) => this.#popFrom(at))
  }

  /** Whether a pop is under way, or has failed, so that it is no use to look further. */
  #popFrom(at: number): boolean {
    const key = this.#keyAt(at)
    if (key.available <= 0) return false
    key.available--
    this.#wait.busy()
    this.#wait.keys.send(at, ownFrame(this.#options.pop.frameFor(key.name)), this)
    return true
  }

  #keyAt(at: number): WatchedKey {
    return this.#wait.keys.keys[at] as WatchedKey
  }

  /** ReplySink: the reply to a pop, from the key of this number. */
  reply(at: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const key = this.#keyAt(at)
    const wait = this.#wait
    if (!this.#hasBegun && isNothing(bytes, start)) {
      if (!wait.isOver) this.#poppedNothing()
      return
    }
    const isError = !this.#hasBegun && bytes[start] === MINUS
    if (isError) {
      if (!wait.isOver) {
        wait.finish(() => this.#session.reply(wait.ticket, bytes, start, end, last))
      }
      key.lookAgain()
      return
    }
    if (wait.isOver) {
      if (!this.#hasBegun) this.#options.onLost()
      this.#hasBegun = true
      return
    }
    this.#pass(key, bytes, start, end, last)
  }

  #poppedNothing(): void {
    if (!this.#wait.isEnding && this.#popAny()) return
    this.#wait.wait()
  }

  /** Passes an element on, or a part of it. */
  #pass(key: WatchedKey, bytes: Buffer, start: number, end: number, last: boolean): void {
    const session = this.#session
    const wait = this.#wait
    const { ticket } = wait
    if (this.#hasBegun) {
      if (last) wait.finish(() => session.reply(ticket, bytes, start, end, true))
      else session.reply(ticket, bytes, start, end, false)
      return
    }
    this.#hasBegun = true
    const { bytes: heading, skip } = this.#options.pop.heading(key.name)
    const whole = Buffer.concat([heading, bytes.subarray(start + skip, end)])
    if (last) wait.finish(() => session.reply(ticket, whole, 0, whole.length, true))
    else session.reply(ticket, whole, 0, whole.length, false)
  }

  /** ReplySink */
  failed(at: number, error: Failure): void {
    const key = this.#keyAt(at)
    const wait = this.#wait
    // Shards have been asked meanwhile, for this client too.
    const truth = error.kind === 'unavailable' ? key.shard.errors.declined : error
    if (!wait.isOver) wait.finish(() => this.#session.failed(wait.ticket, truth))
    key.lookAgain()
  }
}
