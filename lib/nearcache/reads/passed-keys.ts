/**
 * The keys of a client's MGETs that went past what is kept and are on their way. Their replies may be newer than what is
 * kept, so that an MGET with one of these keys may not be answered from memory behind them. One with other keys may.
 */

/** The client that is owed the replies. */
export interface Owing {
  owes(ticket: number): boolean
}

/** How many there are at least before it is worth looking which are answered. */
const SWEEP_MIN = 256

export class PassedKeys {
  /** By the number of the GET of the key: the ticket of the last MGET that asked for it. */
  readonly #tickets = new Map<number, number>()
  #lastTicket = 0
  #sweepAt = SWEEP_MIN

  /** How many are remembered; some may be answered. */
  get count(): number {
    return this.#tickets.size
  }

  /** The MGET of this ticket asks for the key, the number of whose GET it is. */
  add(identity: number, ticket: number, client: Owing): void {
    if (this.#tickets.size >= this.#sweepAt) this.#sweep(client)
    this.#tickets.set(identity, ticket)
    this.#lastTicket = ticket
  }

  /** Whether an MGET with one of the first `count` of these keys is on its way. */
  haveAnyOf(identities: Int32Array, count: number, client: Owing): boolean {
    const tickets = this.#tickets
    if (tickets.size === 0) return false
    if (!client.owes(this.#lastTicket)) {
      tickets.clear()
      return false
    }
    for (let key = 0; key < count; key++) {
      const ticket = tickets.get(identities[key] as number)
      if (ticket !== undefined && client.owes(ticket)) return true
    }
    return false
  }

  #sweep(client: Owing): void {
    for (const [identity, ticket] of this.#tickets) {
      if (!client.owes(ticket)) this.#tickets.delete(identity)
    }
    this.#sweepAt = Math.max(SWEEP_MIN, 2 * this.#tickets.size)
  }
}
