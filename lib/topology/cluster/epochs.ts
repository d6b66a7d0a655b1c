/**
 * Numbers the changes of slot owners, over all clusters: a client that remembers one number knows what
 * has changed since, wherever its requests go.
 */
export class Epochs {
  #current = 0

  /** Of the newest change. */
  get current(): number {
    return this.#current
  }

  next(): number {
    return ++this.#current
  }
}
