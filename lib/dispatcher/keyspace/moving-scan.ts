/**
 * SCAN over masters whose slots move: round after round until nothing has come to a master that was done.
 * Keys may come twice, as SCAN allows; one that is there from the beginning to the end is never missed.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import { SCAN_LOOK_MS, SCAN_LOOKS_MAX } from '../../limits.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { arrayHeader, bulkFrame } from '../../resp/encode.ts'
import { cursorAfter, markOf, positionOf, type ScannedShards } from '../../routing/scan-cursor.ts'
import { type LineOf, lacksOwner, nextRound } from '../../routing/scan-round.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { Sender } from '../core/sender.ts'
import { askHoldings } from './holdings.ts'
import { CursorSink, withCursor } from './scan-reply.ts'
import { type KnownRound, ScanRounds } from './scan-rounds.ts'

const NO_KEYS = arrayHeader(0)

/** A SCAN of a client that waits for its answer. */
interface Scan {
  readonly client: Client
  readonly ticket: number
  readonly request: Buffer
}

export class MovingScan {
  readonly #sender: Sender
  readonly #moving: MovingPlaces
  readonly #rounds = new ScanRounds()

  constructor(sender: Sender, moving: MovingPlaces) {
    this.#sender = sender
    this.#moving = moving
  }

  /** `cursor`: as the client has it. One that is not known begins anew. */
  scan(client: Client, request: ScannedRequest, cursor: bigint): void {
    const known = this.#rounds.get(markOf(cursor))
    if (known === undefined) {
      if (!this.#sender.areAllUp(client, request)) return
      const scan = { client, ticket: client.session.open(), request: withCursor(request, 0n) }
      this.#look(scan, (lines) => this.#begin(scan, this.#rounds.first(lines)))
      return
    }
    const position = positionOf(cursor, partsOf(known))
    const at = this.#next(known, position.shard)
    const isAsked = at === position.shard
    const frame = withCursor(request, isAsked ? position.cursor : 0n)
    const scan = { client, ticket: client.session.open(), request: frame }
    if (at < known.round.masters.length) this.#ask(scan, known, at)
    else this.#look(scan, (lines) => this.#endRound(scan, known, lines))
  }

  /** From `at` on the first master that is still one: what others had has come to somebody. */
  #next({ round }: KnownRound, at: number): number {
    const { shards } = this.#sender
    const found = round.masters.findIndex((master, each) => each >= at && shards.includes(master))
    return found < 0 ? round.masters.length : found
  }

  #begin(scan: Scan, known: KnownRound): void {
    const at = this.#next(known, 0)
    if (at < known.round.masters.length) this.#ask(scan, known, at)
    else this.#answer(scan, 0n)
  }

  #ask({ client, ticket, request }: Scan, known: KnownRound, at: number): void {
    const sink = new CursorSink(client, at, partsOf(known))
    this.#sender.sendFrame(client, request, known.round.masters[at] as Shard, sink, ticket)
  }

  #endRound(scan: Scan, known: KnownRound, lines: LineOf<Shard>): void {
    const isOld = lacksOwner(known.round, lines) && known.vainLooks++ < SCAN_LOOKS_MAX
    if (isOld) {
      this.#moving.lookAgain()
      setTimeout(() => this.#answer(scan, this.#endOf(known)), SCAN_LOOK_MS)
      return
    }
    const next = nextRound(known.round, lines)
    if (next === undefined) this.#answer(scan, 0n)
    else this.#begin(scan, this.#rounds.add(next))
  }

  /** The cursor with which the end of a round is looked at. */
  #endOf(known: KnownRound): bigint {
    const last = known.round.masters.length - 1
    return cursorAfter({ shard: last, cursor: 0n }, partsOf(known)) ?? 0n
  }

  #answer({ client, ticket }: Scan, cursor: bigint): void {
    const frame = Buffer.concat([arrayHeader(2), bulkFrame(Buffer.from(String(cursor))), NO_KEYS])
    client.session.reply(ticket, frame, 0, frame.length, true)
  }

  /** Asks all masters what they have. */
  #look({ client, ticket }: Scan, done: (lines: LineOf<Shard>) => void): void {
    const { session } = client
    askHoldings(this.#sender, client, session.failed.bind(session), ticket, done)
  }
}

/** Its masters, and behind them the look at its end. */
function partsOf({ round, mark }: KnownRound): ScannedShards {
  return { count: round.masters.length + 1, mark }
}
