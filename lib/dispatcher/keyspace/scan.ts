/**
 * SCAN over all shards, one after the other; the cursor says where it is. What one Redis guarantees
 * holds for all of them: a key that is there from the beginning to the end is returned. After a reload
 * with other shards a scan begins anew.
 */

import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { type Failure, NO_CURSOR_LEFT } from '../../failures.ts'
import { arrayHeader, bulkFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import {
  cursorAfter,
  parseCursor,
  positionOf,
  type ScannedShards,
  scannedShards,
} from '../../routing/scan-cursor.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argument, argumentText } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommands } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'

const INVALID_CURSOR = errorFrame('ERR invalid cursor')

/** The start of a SCAN reply, with the cursor; what follows is the array of keys. */
const REPLY_HEAD = /^\*2\r\n\$[0-9]+\r\n([0-9]+)\r\n/
/** Bytes in which the head of any SCAN reply ends: the cursor has 20 digits at most. */
const REPLY_HEAD_BYTES_MAX = 40

export interface ScanOptions {
  readonly sender: Sender
  /** What tells each of its shards from any other. */
  readonly nameOf: (shard: Shard) => string
  /** There is one shard, and there have never been more: its cursors pass as they are. */
  readonly isPlain: boolean
}

export function scanCommands({ sender, nameOf, isPlain }: ScanOptions): SpecialCommands {
  let scans = scansOf(sender.shards, nameOf)
  return {
    scan: (client, request) => {
      if (scans.shards !== sender.shards) scans = scansOf(sender.shards, nameOf)
      if (isPlain) sender.send(client, request, sender.anyShard())
      else scan(sender, scans.order, scans.scanned, client, request)
    },
  }
}

function scansOf(shards: readonly Shard[], nameOf: (shard: Shard) => string) {
  // Whatever the order of the configuration, so that another order is no other scan.
  const ordered = shards
    .map((shard) => ({ shard, name: nameOf(shard) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const order = ordered.map(({ shard }) => shard)
  return { shards, order, scanned: scannedShards(ordered.map(({ name }) => name)) }
}

function scan(
  sender: Sender,
  order: readonly Shard[],
  scanned: ScannedShards,
  client: Client,
  request: ScannedRequest,
): void {
  const cursor = parseCursor(argumentText(request, 1))
  if (cursor === undefined) {
    client.session.answer(INVALID_CURSOR)
    return
  }
  const position = positionOf(cursor, scanned)
  const sink = new CursorSink(client, position.shard, scanned)
  const frame = withCursor(request, position.cursor)
  const shard = order[position.shard] as Shard
  sender.sendFrame(client, frame, shard, sink, client.session.open())
}

/** The request with another cursor; all else byte for byte. */
function withCursor(request: Request, cursor: bigint): Buffer {
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
class CursorSink implements ReplySink {
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
