/**
 * Keys that this ambassador's clients are changing at this moment: from before the request is sent until its
 * client has the reply. What is read of them meanwhile may be older than what the client is told next, so
 * nothing of it may be kept.
 *
 * There is no event at the end of a write: it is over when the client's session, whose replies go out in the
 * order of their tickets, does not owe the reply any more.
 */

/** The client that writes; a session is one. */
export interface WriterSession {
  readonly closed: boolean
  /** The ticket of the next reply that is opened. */
  readonly nextTicket: number
  /** Whether the reply of `ticket`, which may not be open yet, is still to go out. */
  owes(ticket: number): boolean
}

export interface Writer {
  readonly session: WriterSession
  /** Set while it is in a transaction: what it writes is done later, at the latest by the end of that. */
  readonly mode: object | undefined
}

/** One request, or all requests of one transaction. */
export class Life {
  readonly #writer: Writer
  #ticket: number
  #mode: object | undefined

  constructor(writer: Writer) {
    this.#writer = writer
    this.#ticket = writer.session.nextTicket
    this.#mode = writer.mode
  }

  /** Lasts until the reply of the request at hand, too. */
  extend(): void {
    this.#ticket = this.#writer.session.nextTicket
    this.#mode = this.#writer.mode
  }

  /** A client that has gone needs no promise: if its write is still executed, the shard announces it. */
  get isOver(): boolean {
    const { session, mode } = this.#writer
    if (session.closed) return true
    if (this.#mode !== undefined && mode === this.#mode) return false
    return !session.owes(this.#ticket)
  }
}

/** A key in the life of a request. */
interface Written {
  readonly life: Life
  readonly next: Written | undefined
}

/** How many there are at least before it is worth looking which are over. */
const SWEEP_MIN = 64

export class Writes {
  readonly #byKey = new Map<number, Written>()
  /** Of those that may change any key. */
  #anything: Life[] = []
  #count = 0
  #sweepAt = SWEEP_MIN

  /** Keys that are being written, as far as it is known; some may be over. */
  get count(): number {
    return this.#count + this.#anything.length
  }

  add(keyHash: number, life: Life): void {
    if (this.#count >= this.#sweepAt) this.#sweep()
    this.#byKey.set(keyHash, { life, next: this.#byKey.get(keyHash) })
    this.#count++
  }

  addAnything(life: Life): void {
    this.#anything = this.#anything.filter((each) => !each.isOver)
    this.#anything.push(life)
  }

  /** Whether a client of ours may be changing the key. */
  isBeingWritten(keyHash: number): boolean {
    if (this.#anything.length > 0) {
      this.#anything = this.#anything.filter((each) => !each.isOver)
      if (this.#anything.length > 0) return true
    }
    if (this.#byKey.size === 0) return false
    const first = this.#byKey.get(keyHash)
    if (first === undefined) return false
    return this.#keepLiving(keyHash, first) !== undefined
  }

  /** Forgets what is over. */
  #sweep(): void {
    for (const [keyHash, first] of this.#byKey) this.#keepLiving(keyHash, first)
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#count)
  }

  /** For a look from outside: what is over counts no more. */
  settle(): void {
    this.#anything = this.#anything.filter((each) => !each.isOver)
    this.#sweep()
  }

  #keepLiving(keyHash: number, first: Written): Written | undefined {
    let living: Written | undefined
    let over = 0
    for (let each: Written | undefined = first; each !== undefined; each = each.next) {
      if (each.life.isOver) over++
      else living = { life: each.life, next: living }
    }
    if (over === 0) return first
    this.#count -= over
    if (living === undefined) this.#byKey.delete(keyHash)
    else this.#byKey.set(keyHash, living)
    return living
  }
}
