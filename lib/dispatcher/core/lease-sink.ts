/** Sinks for what goes over a leased connection. */

import type { Session } from '../../downstream/session.ts'
import type { Failure } from '../../failures.ts'
import { MINUS } from '../../resp/bytes.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'

/**
 * The failure that the client gets in place of an error that concerns only us, such as a redirect;
 * undefined: the error itself.
 */
export type DeclinedIn = (bytes: Buffer, start: number, end: number) => Failure | undefined

/** Passes the reply on to the session and then says how the shard has answered. */
export class ClientReply implements ReplySink {
  readonly #session: Session
  readonly #tag: number
  readonly #done: (ending: Ending) => void
  readonly #declinedIn: DeclinedIn | undefined
  #ending: Ending | undefined

  constructor(
    session: Session,
    ticket: number,
    done: (ending: Ending) => void,
    declinedIn?: DeclinedIn,
  ) {
    this.#session = session
    this.#tag = ticket
    this.#done = done
    this.#declinedIn = declinedIn
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const isError = this.#ending === undefined && bytes[start] === MINUS
    const declined = isError ? this.#declinedIn?.(bytes, start, end) : undefined
    if (declined !== undefined) {
      this.failed(0, declined)
      return
    }
    this.#ending ??= endingOf(bytes, start)
    this.#session.reply(this.#tag, bytes, start, end, last)
    if (last) this.#done(this.#ending)
  }

  failed(_ticket: number, error: Failure): void {
    this.#session.failed(this.#tag, error)
    this.#done('lost')
  }
}

/** `error`: the shard answered with one, other than EXECABORT. `lost`: it gave no answer. */
export type Ending = 'done' | 'error' | 'lost'

/** EXEC that aborts ends its transaction; one that the shard does not let us use leaves it open. */
const EXECABORT = '-EXECABORT '

export function endingOf(bytes: Buffer, start: number): Ending {
  if (bytes[start] !== MINUS) return 'done'
  const code = bytes.toString('latin1', start, start + EXECABORT.length)
  return code === EXECABORT ? 'done' : 'error'
}

/** Takes the reply to a request of our own, which no client may see. */
export class OwnReply implements ReplySink {
  readonly #done: (succeeded: boolean, error?: Buffer) => void
  #isError: boolean | undefined
  #error: Buffer | undefined

  /**
   * `done` gets false when there is no reply, or when the reply is an error, which it gets as well.
   */
  constructor(done: (succeeded: boolean, error?: Buffer) => void) {
    this.#done = done
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#isError === undefined) {
      this.#isError = bytes[start] === MINUS
      // Errors are short: they come whole.
      if (this.#isError) this.#error = Buffer.from(bytes.subarray(start, end))
    }
    if (last) this.#done(!this.#isError, this.#error)
  }

  failed(): void {
    this.#done(false)
  }
}
