/** Requests that the near-cache makes for itself, a few a second. */
import { errorText } from '../../errors.ts'
import { requestFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'

export const PING = requestFrame(['PING'])
/** The reply tells the version of the server. */
export const HELLO = requestFrame(['HELLO'])

/** More of a reply than this is not looked at, unless a caller wants more. */
const TEXT_BYTES_MAX = 4096

/** With the beginning of the reply, or undefined when there is none. */
export type Ended = (reply: string | undefined) => void

/** Sends the frame, which nobody will change. */
export function ask(
  connection: ShardConnection,
  frame: Buffer,
  ended: Ended,
  textBytesMax = TEXT_BYTES_MAX,
): void {
  connection.send(new OwnRequest(ended, textBytesMax), 0, frame, 0, frame.length, false)
}

export function isOk(reply: string): boolean {
  return reply.startsWith('+OK')
}

/** The words of an error reply, safe for a log. */
export function wordsOf(reply: string): string {
  return errorText(reply.replace(/^-/, '').trimEnd())
}

class OwnRequest implements ReplySink {
  readonly #ended: Ended
  readonly #textBytesMax: number
  #text = ''

  constructor(ended: Ended, textBytesMax: number) {
    this.#ended = ended
    this.#textBytesMax = textBytesMax
  }

  reply(_tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const wanted = this.#textBytesMax - this.#text.length
    this.#text += bytes.toString('latin1', start, Math.min(end, start + wanted))
    if (last) this.#ended(this.#text)
  }

  failed(): void {
    this.#ended(undefined)
  }
}
