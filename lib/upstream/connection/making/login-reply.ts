/** The answer to a login on a connection that there is, which stays as it was if the shard refuses. */
import type { ReplySink } from '../../reply-sink.ts'
import type { ConnectionOptions } from '../connection-options.ts'
import { rejection } from './handshake.ts'

export class LoginReply implements ReplySink {
  readonly #onLogin: ConnectionOptions['onLogin']

  constructor(onLogin: ConnectionOptions['onLogin']) {
    this.#onLogin = onLogin
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number): void {
    const reason = rejection(bytes.subarray(start, end), false)
    this.#onLogin?.(reason === undefined ? undefined : { reason, atConnect: false })
  }

  /** That there is no answer the connection tells by its state. */
  failed(): void {}
}
