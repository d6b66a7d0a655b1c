/**
 * Collects the shards' replies to the parts of one command and finishes once, when each part has its
 * reply or has failed. It waits for all of them even after a failure: a client must not overtake its
 * own command. Replies wait in lent chunks, for as long as the command and no longer.
 */
import { type Failure, READS_OVERLOADED } from '../../failures.ts'
import { type Piece, shelve, unshelve } from '../../io/shelf.ts'
import type { RowsSink } from '../../upstream/connection/placed/runs.ts'

/** What became of the parts, numbered from 0. Valid during the call of `Finish` only. */
export interface Collected {
  readonly count: number
  /** How many parts failed. */
  readonly failures: number
  /**
   * The error of the parts; of several, one that says that the part may have executed. Undefined
   * when no part failed.
   */
  readonly error: Failure | undefined
  /** The reply to a part, if it has come in one piece. */
  whole(part: number): Piece | undefined
  /** The reply to a part as it came, in pieces; no piece when the part failed. */
  pieces(part: number): readonly Piece[]
  /** The reply to a part in one buffer; undefined when the part failed. */
  frame(part: number): Buffer | undefined
  /** By part: the row that its reply is in, if it has not come by itself; undefined: there are no rows. */
  readonly rowOf: readonly number[] | undefined
  /** The replies to parts of this row, those that came by themselves left out. */
  row(number: number): readonly Piece[]
  /** As `frame`, in a buffer that stays. */
  ownFrame(part: number): Buffer | undefined
}

export type Finish = (collected: Collected) => void

/** Bounds what replies may take while they wait. */
export interface Budget {
  /** Takes room for `bytes` bytes. Returns undefined, or the reason if that is too much. */
  take(bytes: number): Failure | undefined
  /** Everything taken is free again. */
  release(): void
}

/** The client for which replies are collected. */
export interface Beneficiary {
  /** `bytes` more bytes wait for it. False: they must not, for it is gone, or there is no room. */
  collect(bytes: number): boolean
  /** `bytes` of these do not wait any more. */
  collected(bytes: number): void
}

const NO_PIECES: readonly Piece[] = []
const NO_ROWS: (Piece[] | undefined)[] = []

export class Collector implements RowsSink, Collected {
  readonly count: number
  failures = 0
  error: Failure | undefined
  rowOf: readonly number[] | undefined
  /** By row. */
  #rows: (Piece[] | undefined)[] = NO_ROWS
  /** By part. Most replies are one piece. */
  readonly #pieces: (Piece | Piece[] | undefined)[]
  readonly #finish: Finish
  readonly #budget: Budget | undefined
  readonly #beneficiary: Beneficiary | undefined
  #missing: number
  /** Why replies are not kept any more. */
  #refused: Failure | undefined

  /** The sink for parts 0 to `count - 1`; a part's number is the ticket of its request. */
  constructor(count: number, finish: Finish, budget?: Budget, beneficiary?: Beneficiary) {
    this.count = count
    this.#missing = count
    this.#finish = finish
    this.#budget = budget
    this.#beneficiary = beneficiary
    this.#pieces = new Array(count).fill(undefined)
  }

  /** RowsSink */
  expectRows(rowOf: readonly number[]): void {
    this.rowOf = rowOf
    this.#rows = []
  }

  /** ReplySink */
  reply(part: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const piece = this.#kept(bytes, start, end)
    if (piece !== undefined) {
      const pieces = this.#pieces[part]
      if (pieces === undefined) this.#pieces[part] = piece
      else if (Array.isArray(pieces)) pieces.push(piece)
      else this.#pieces[part] = [pieces, piece]
      if (last) this.#settle(1)
    } else if (last) {
      this.failed(part, this.#refused as Failure)
    }
  }

  /** PartsSink */
  replies(row: number, bytes: Buffer, start: number, end: number, count: number): void {
    const piece = this.#kept(bytes, start, end)
    if (piece === undefined) this.#fail(count, this.#refused as Failure)
    else this.#addTo(row, piece)
    this.#settle(count)
  }

  #addTo(row: number, piece: Piece): void {
    const pieces = this.#rows[row]
    if (pieces === undefined) this.#rows[row] = [piece]
    else pieces.push(piece)
  }

  /** Undefined: replies are not kept any more. */
  #kept(bytes: Buffer, start: number, end: number): Piece | undefined {
    if (this.#refused === undefined) {
      this.#refused = this.#take(end - start)
      if (this.#refused !== undefined) this.#drop()
    }
    return this.#refused === undefined ? shelve(bytes, start, end) : undefined
  }

  /** ReplySink */
  failed(part: number, error: Failure): void {
    this.#giveBack(part)
    this.#fail(1, error)
    this.#settle(1)
  }

  #fail(count: number, error: Failure): void {
    this.failures += count
    if (this.error === undefined || error.maybeExecuted) this.error = error
  }

  #take(bytes: number): Failure | undefined {
    const refused = this.#budget?.take(bytes)
    if (refused !== undefined) return refused
    return this.#beneficiary?.collect(bytes) === false ? READS_OVERLOADED : undefined
  }

  whole(part: number): Piece | undefined {
    const pieces = this.#pieces[part]
    return Array.isArray(pieces) ? undefined : pieces
  }

  pieces(part: number): readonly Piece[] {
    const pieces = this.#pieces[part]
    if (pieces === undefined) return NO_PIECES
    return Array.isArray(pieces) ? pieces : [pieces]
  }

  row(number: number): readonly Piece[] {
    return this.#rows[number] ?? NO_PIECES
  }

  frame(part: number): Buffer | undefined {
    const pieces = this.pieces(part)
    const [first] = pieces
    if (first === undefined) return undefined
    return pieces.length === 1 ? view(first) : Buffer.concat(pieces.map(view))
  }

  ownFrame(part: number): Buffer | undefined {
    const frame = this.frame(part)
    // Several pieces have been copied already, and a large reply more than once is much.
    return frame !== undefined && this.pieces(part).length === 1 ? Buffer.from(frame) : frame
  }

  #settle(count: number): void {
    this.#missing -= count
    if (this.#missing > 0) return
    this.#budget?.release()
    this.#finish(this)
    this.#giveAllBack()
  }

  /** Drops the replies so far: they are useless now, and others need their room. */
  #drop(): void {
    this.#budget?.release()
    this.#giveAllBack()
  }

  #giveAllBack(): void {
    for (let part = 0; part < this.count; part++) this.#giveBack(part)
    const rows = this.#rows
    this.#rows = NO_ROWS
    for (const row of rows) for (const piece of row ?? NO_PIECES) this.#letGo(piece)
  }

  #giveBack(part: number): void {
    const pieces = this.#pieces[part]
    if (pieces === undefined) return
    this.#pieces[part] = undefined
    if (Array.isArray(pieces)) for (const piece of pieces) this.#letGo(piece)
    else this.#letGo(pieces)
  }

  #letGo(piece: Piece): void {
    this.#beneficiary?.collected(piece.end - piece.start)
    unshelve(piece)
  }
}

function view({ chunk, start, end }: Piece): Buffer {
  return chunk.bytes.subarray(start, end)
}
