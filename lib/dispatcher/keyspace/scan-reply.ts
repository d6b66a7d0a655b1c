/** Requests and replies of SCAN with a shard's own cursor in the place of the client's, and the other way. */
import { type Failure, NO_CURSOR_LEFT } from '../../failures.ts'
import { arrayHeader, bulkFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import { cursorAfter, type ScannedShards } from '../../routing/scan-cursor.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import { argument } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'

/** The start of a SCAN reply, with the cursor; what follows is the array of keys. */
const REPLY_HEAD = /^\*2\r\n\$[0-9]+\r\n([0-9]+)\r\n/
/** Bytes in which the head of any SCAN reply ends: the cursor has 20 digits at most. */
const REPLY_HEAD_BYTES_MAX = 40

/** The request with another cursor; all else byte for byte. */
export function withCursor(request: Request, cursor: bigint): Buffer {
  const { bytes, offsets, frameEnd } = request
  const afterCursor = (offsets[3] as number) + 2
  return Buffer.concat([
    arrayHeader(request.argc),
    bulkFrame(argument(request, 0)),
    bulkFrame(Buffer.from(String(cursor))),
    bytes.subarray(afterCursor, frameEnd),
  ])
}

/** Passes a shard's reply on with the client's cursor in the place of the shard's. */
export class CursorSink implements ReplySink {
  readonly #client: Client
  readonly #shard: number
  readonly #scanned: ScannedShards
  #state: 'head' | 'body' | 'refused' = 'head'

  constructor(client: Client, shard: number, scanned: ScannedShards) {
    this.#client = client
    this.#shard = shard
    this.#scanned = scanned
  }

  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    // A reply in parts has its head in the first one, which is never as small as a head.
    const bodyStart = this.#state === 'head' ? this.#passHead(ticket, bytes, start, end) : start
    if (this.#state === 'body') this.#client.session.reply(ticket, bytes, bodyStart, end, last)
  }

  failed(ticket: number, error: Failure): void {
    if (this.#state !== 'refused') this.#client.session.failed(ticket, error)
  }

  /** Returns where the rest begins: at `start` for an error, which has no cursor. */
  #passHead(ticket: number, bytes: Buffer, start: number, end: number): number {
    const { session } = this.#client
    this.#state = 'body'
    const text = bytes.toString('latin1', start, Math.min(end, start + REPLY_HEAD_BYTES_MAX))
    const [head, cursor] = REPLY_HEAD.exec(text) ?? []
    if (head === undefined || cursor === undefined) return start
    const next = cursorAfter({ shard: this.#shard, cursor: BigInt(cursor) }, this.#scanned)
    if (next === undefined) {
      this.#state = 'refused'
      session.failed(ticket, NO_CURSOR_LEFT)
      return end
    }
    const made = Buffer.concat([arrayHeader(2), bulkFrame(Buffer.from(String(next)))])
    session.reply(ticket, made, 0, made.length, false)
    return start + head.length
  }
}
