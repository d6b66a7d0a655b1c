/**
 * The answers to logins that stand in line with requests, on a connection that there is, which stays as it was
 * if the shard refuses. What stands in line may be kept for the next connection.
 */
import type { ReplySink } from '../../reply-sink.ts'
import type { ConnectionOptions } from '../connection-options.ts'
import { rejection } from './handshake.ts'

export class LoginReply implements ReplySink {
  readonly #onLogin: ConnectionOptions['onLogin']
  #inLine = 0
  #last: Buffer | undefined

  constructor(onLogin: ConnectionOptions['onLogin']) {
    this.#onLogin = onLogin
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

  reply(_ticket: number, bytes: Buffer, start: number, end: number): void {
    this.#inLine--
    const reason = rejection(bytes.subarray(start, end), false)
    this.#onLogin?.(reason === undefined ? undefined : { reason, atConnect: false })
  }

  /** That there is no answer the connection tells by its state. */
  failed(): void {
    this.#inLine--
  }
}
