/** A client's transaction as it would be under a future configuration. */

export class TransactionToCome {
  /** The judge that keeps it: after a reload another judge begins anew. */
  readonly keeper: object
  /** MULTI has been sent. */
  queueing = false
  /** Something in it is refused, so that EXEC is. */
  failed = false
  /** What its keys must share; undefined before a key has named it. */
  place: number | undefined
  /** The key that has named it, in latin-1. */
  key: string | undefined

  constructor(keeper: object) {
    this.keeper = keeper
  }

  end(): void {
    this.queueing = false
    this.failed = false
    this.place = undefined
    this.key = undefined
  }
}
