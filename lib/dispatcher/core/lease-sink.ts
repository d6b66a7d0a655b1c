/** Sinks for what goes over a leased connection. */
import type { Session } from '../../downstream/session.ts'
import type { ReplySink, ShardError } from '../../upstream/reply-sink.ts'

/** Passes the reply on to the session and then says whether there was one. */
export class PassOn implements ReplySink {
  readonly #session: Session
  readonly #tag: number
  readonly #done: (answered: boolean) => void

  constructor(session: Session, tag: number, done: (answered: boolean) => void) {
    this.#session = session
    this.#tag = tag
    this.#done = done
  }

  reply(_tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#session.reply(this.#tag, bytes, start, end, last)
    if (last) this.#done(true)
  }

  failed(_tag: number, error: ShardError): void {
    this.#session.failed(this.#tag, error)
    this.#done(false)
  }
}

/** Takes the reply to a request of our own, which no client may see. */
export class Swallow implements ReplySink {
  readonly #done: (succeeded: boolean) => void
  #first = 0

  /** `done`: with false when the reply is an error or does not come. */
  constructor(done: (succeeded: boolean) => void) {
    this.#done = done
  }

  reply(_tag: number, bytes: Buffer, start: number, _end: number, last: boolean): void {
    if (this.#first === 0) this.#first = bytes[start] as number
    if (last) this.#done(this.#first !== ERROR)
  }

  failed(): void {
    this.#done(false)
  }
}

const ERROR = 0x2d
