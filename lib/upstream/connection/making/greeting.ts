/**
 * What is said on a connection before requests go over it, and what the answers mean: the handshake of a
 * fresh one, or the PING that asks one that lay idle whether it still works. No socket.
 */
import { requestFrame } from '../../../resp/encode.ts'
import { type Handshake, notServing, rejection } from './handshake.ts'

const PING = requestFrame(['PING'])

/** First byte of an integer reply, which is what CLIENT ID is answered with. */
const COLON = 0x3a

/** What a reply means. Reasons are safe for a log. */
export type GreetingStep =
  /** Others follow. */
  | { readonly kind: 'more' }
  /** The shard has taken us. */
  | { readonly kind: 'done' }
  /** It has, but there are other credentials by now: the handshake is to be sent once more. */
  | { readonly kind: 'again' }
  /** We do without it, unless the shard means all of us: then it says no more and closes. */
  | { readonly kind: 'wish refused'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  /** It sent bytes before we did. */
  | { readonly kind: 'turned away'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string }

const MORE: GreetingStep = { kind: 'more' }
const DONE: GreetingStep = { kind: 'done' }
const AGAIN: GreetingStep = { kind: 'again' }

export class Greeting {
  #handshake: Handshake | undefined
  /** Replies still to come. */
  #missing = 0
  /** Connected, and to log in once it is known with what. */
  #loginAwaited = false
  /** The credentials changed while the handshake, or a probe, was under way. */
  #loginDue = false
  #shardClientId: string | undefined
  #notServing: string | undefined

  /** The number by which the shard knows the connection, if the handshake asked and it told. */
  get shardClientId(): string | undefined {
    return this.#shardClientId
  }

  /** What the shard answered to the PING if it took us and refuses everything for a while. */
  get notServing(): string | undefined {
    return this.#notServing
  }

  /** What to write on a connection that is just made; undefined: what to log in with is not known yet. */
  begin(handshake: Handshake | undefined): Buffer | undefined {
    this.#handshake = handshake
    this.#loginDue = false
    this.#loginAwaited = handshake === undefined
    this.#missing = handshake?.replies ?? 0
    return handshake?.request
  }

  /** What to write to ask whether the connection works. */
  beginProbe(): Buffer {
    this.#missing = 1
    return PING
  }

  /** There are other credentials; true: the handshake has waited for them and is to be sent now. */
  credentialsChanged(): boolean {
    if (!this.#loginAwaited) this.#loginDue = this.#missing > 0
    return this.#loginAwaited
  }

  /** Another attempt follows. */
  reset(): void {
    this.stop()
    this.#handshake = undefined
    this.#loginAwaited = false
    this.#loginDue = false
  }

  /** The replies still to come will not. */
  stop(): void {
    this.#missing = 0
  }

  /** The next reply, or a part of it. */
  take(reply: Buffer, isWhole: boolean): GreetingStep {
    if (this.#missing === 0) {
      const reason = rejection(reply, false) ?? 'unexpected data before the handshake'
      return { kind: 'turned away', reason }
    }
    if (!isWhole) return { kind: 'malformed', reason: 'oversized reply in the handshake' }
    const { replies = 0, clientIdAt, redirectAt } = this.#handshake ?? {}
    const at = replies - this.#missing--
    const reason = rejection(reply, this.#missing === 0)
    if (reply[0] === COLON) this.#shardClientId = reply.toString('latin1', 1, reply.length - 2)
    if (reason !== undefined) {
      const isWish = at === clientIdAt || at === redirectAt
      return { kind: isWish ? 'wish refused' : 'refused', reason }
    }
    if (this.#missing > 0) return MORE
    // Ahead of what waits for the connection, which may be a request that blocks.
    if (this.#loginDue) return AGAIN
    this.#notServing = notServing(reply)
    return DONE
  }
}
