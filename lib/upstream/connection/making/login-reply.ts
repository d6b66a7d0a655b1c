/**
 * The answers to logins that stand in line with requests, on a connection that there is, which stays as it was
 * if the shard refuses. What stands in line may be kept for the next connection.
 *
 * Redis 8.0.6 does not answer an AUTH that it refuses when it has read another command before it in one go.
 * All replies behind it would then reach the wrong clients. So a PING stands behind each AUTH.
 */
import type { ReplySink } from '../../reply-sink.ts'
import type { ConnectionOptions } from '../connection-options.ts'
import { answersFence, rejection } from './handshake.ts'

/** Tickets. */
export const LOGIN = 0
export const BEHIND_LOGIN = 1

export class LoginReply implements ReplySink {
  readonly #onLogin: ConnectionOptions['onLogin']
  readonly #onUnanswered: () => void
  #inLine = 0
  #last: Buffer | undefined

  /** `onUnanswered`: from here on replies are not to the requests for which they would be taken. */
  constructor(onLogin: ConnectionOptions['onLogin'], onUnanswered: () => void) {
    this.#onLogin = onLogin
    this.#onUnanswered = onUnanswered
  }

  /** This login stands in line now. */
  enters(login: Buffer): void {
    this.#inLine++
    this.#last = login
  }

  /** An older login stands in line, which would undo what this one does before it. */
  awaitsOlderThan(login: Buffer): boolean {
    return this.#inLine > 0 && this.#last?.equals(login) !== true
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number): void {
    if (ticket === BEHIND_LOGIN) return
    this.#inLine--
    const answer = bytes.subarray(start, end)
    if (answersFence(answer)) {
      this.#onUnanswered()
      return
    }
    const reason = rejection(answer, false)
    this.#onLogin?.(reason === undefined ? undefined : { reason, atConnect: false })
  }

  /** That there is no answer the connection tells by its state. */
  failed(ticket: number): void {
    if (ticket === LOGIN) this.#inLine--
  }
}
