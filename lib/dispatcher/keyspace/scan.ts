/**
 * SCAN over all shards, one after the other; the cursor says where it is. What one Redis guarantees
 * holds for all of them: a key that is there from the beginning to the end is returned. After a reload
 * with other shards a scan begins anew.
 */

import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import {
  parseCursor,
  positionOf,
  type ScannedShards,
  scannedShards,
} from '../../routing/scan-cursor.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argumentText } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommands } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { MovingScan } from './moving-scan.ts'
import { CursorSink, withCursor } from './scan-reply.ts'

const INVALID_CURSOR = errorFrame('ERR invalid cursor')

export interface ScanOptions {
  readonly sender: Sender
  /** A name that tells each shard from any other. */
  readonly nameOf: (shard: Shard) => string
  /** There is one shard, and there have never been more: its cursors pass as they are. */
  readonly isPlain: boolean
}

export function scanCommands({ sender, nameOf, isPlain }: ScanOptions): SpecialCommands {
  let scans = scansOf(sender.shards, nameOf)
  const moving = sender.moving && new MovingScan(sender, sender.moving)
  return {
    scan: (client, request) => {
      if (moving !== undefined) {
        scanMoving(moving, client, request)
        return
      }
      if (scans.shards !== sender.shards) scans = scansOf(sender.shards, nameOf)
      if (isPlain) sender.send(client, request, sender.anyShard())
      else scan(sender, scans.order, scans.scanned, client, request)
    },
  }
}

function scansOf(shards: readonly Shard[], nameOf: (shard: Shard) => string) {
  // Sorted, so that a scan goes on after the order in the configuration changes.
  const ordered = shards
    .map((shard) => ({ shard, name: nameOf(shard) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const order = ordered.map(({ shard }) => shard)
  return { shards, order, scanned: scannedShards(ordered.map(({ name }) => name)) }
}

function scanMoving(moving: MovingScan, client: Client, request: ScannedRequest): void {
  const cursor = parseCursor(argumentText(request, 1))
  if (cursor === undefined) client.session.answer(INVALID_CURSOR)
  else moving.scan(client, request, cursor)
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
