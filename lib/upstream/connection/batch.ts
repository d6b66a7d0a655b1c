/**
 * When the requests of one shard connection came and went: those of one turn share both moments, so
 * that a request itself costs no note of them.
 */

/**
 * What numbers say of a request when it is entered. They travel in one object that is filled again for each
 * request: a double as an argument costs an object where the engine does not inline the call.
 */
export interface Entry {
  /** The turn's clock. */
  readonly enteredMs: number
  readonly deadlineMs: number
  /** Where its first byte stands in the connection's stream. */
  readonly position: number
}

/** Requests that were entered at one moment; a list in their order. */
export class Batch {
  /** Number of its first request. */
  start = 0
  enteredMs = 0
  sentMs = 0
  isStamped = true
  next: Batch | undefined
}

/** The batches of the requests in flight. */
export class Batches {
  #first = new Batch()
  #last = this.#first
  #unstamped: Batch | undefined
  #spare: Batch | undefined
  /** Number of the request with which the second batch begins; -1 while there is one only. */
  #turnsAt = -1

  /** Of the oldest request. */
  get first(): Batch {
    return this.#first
  }

  /** Request `number`, newer than all others, is entered, and counts as sent then until `stamp`. */
  add(number: number, entry: Pick<Entry, 'enteredMs'>): void {
    const last = this.#last
    if (last.isStamped || last.enteredMs !== entry.enteredMs) this.#begin(number, entry.enteredMs)
  }

  /** All that has not been stamped was sent at `sentMs`. */
  stamp(sentMs: number): void {
    for (let batch = this.#unstamped; batch !== undefined; batch = batch.next) {
      batch.sentMs = sentMs
      batch.isStamped = true
    }
    this.#unstamped = undefined
  }

  /** Request `number` is the oldest now; the one before it was, until now. */
  advance(number: number): void {
    if (number === this.#turnsAt) this.#turnOver()
  }

  /** No request is left. */
  clear(): void {
    while (this.#first.next !== undefined) this.#turnOver()
    this.#first.start = 0
    this.#first.isStamped = true
    this.#unstamped = undefined
  }

  #turnOver(): void {
    const done = this.#first
    const first = done.next as Batch
    if (this.#unstamped === done) this.#unstamped = first
    this.#first = first
    this.#turnsAt = first.next?.start ?? -1
    done.next = undefined
    this.#spare = done
  }

  #begin(number: number, enteredMs: number): void {
    const batch = number === this.#first.start ? this.#first : this.#append(number)
    batch.enteredMs = enteredMs
    batch.sentMs = enteredMs
    batch.isStamped = false
    this.#unstamped ??= batch
  }

  #append(number: number): Batch {
    const batch = this.#spare ?? new Batch()
    this.#spare = undefined
    batch.start = number
    this.#last.next = batch
    this.#last = batch
    if (this.#first.next === batch) this.#turnsAt = number
    return batch
  }
}
