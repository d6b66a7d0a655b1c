/**
 * What clients did and what they were told, and whether the shards' state and every reply can be
 * explained by it. The rules are invariants I1 to I5 of ARCHITECTURE.md.
 */

/** How a request ended, as its client saw it. */
export type Outcome = 'ok' | 'refused' | 'not sent' | 'maybe' | 'unanswered'

/** What an error line of the ambassador admits. A shard's own error means that nothing was done. */
function outcomeOf(reply: string): Outcome {
  if (!reply.startsWith('-')) return 'ok'
  if (reply.includes('(not sent)')) return 'not sent'
  if (reply.includes('(may have executed)')) return 'maybe'
  return 'refused'
}

const MAYBE_DONE: ReadonlySet<Outcome> = new Set(['maybe', 'unanswered'])

/** One key that a single client writes, in order: which values may a read find? */
export class Register {
  #values = new Set<string>([NOTHING])
  /**
   * Writes of unknown outcome may take effect late: the shard may still have them in a socket that
   * we have given up. They stay possible for the rest of the run.
   */
  readonly #late = new Set<string>()

  wrote(value: string, outcome: Outcome): void {
    if (outcome === 'ok') this.#values = new Set([value])
    else if (MAYBE_DONE.has(outcome)) this.#late.add(value)
  }

  allows(value: string): boolean {
    return this.#values.has(value) || this.#late.has(value)
  }

  toString(): string {
    return [...this.#values, ...this.#late].join(' or ')
  }
}

/** What a read of a missing key gives. */
export const NOTHING = '(nil)'

/** Tokens pushed once each onto lists: how often may each be there in the end? */
export class Tokens {
  readonly #outcomes = new Map<string, Outcome>()

  pushed(token: string, outcome: Outcome): void {
    this.#outcomes.set(token, outcome)
  }

  /** One line for each token that is there too often or not at all, given all that were found. */
  violations(found: readonly string[]): string[] {
    const counts = new Map<string, number>()
    for (const token of found) counts.set(token, (counts.get(token) ?? 0) + 1)
    const violations: string[] = []
    for (const [token, outcome] of this.#outcomes) {
      const count = counts.get(token) ?? 0
      const most = outcome === 'ok' || MAYBE_DONE.has(outcome) ? 1 : 0
      const least = outcome === 'ok' ? 1 : 0
      if (count < least || count > most) {
        violations.push(`I4: token ${token} was ${outcome} and is there ${count} times`)
      }
      counts.delete(token)
    }
    for (const token of counts.keys()) violations.push(`I4: token ${token} was never pushed`)
    return violations
  }
}

/** All that a run has counted and found wrong. */
export class Report {
  readonly outcomes = new Map<Outcome, number>()
  readonly errors = new Map<string, number>()
  readonly violations: string[] = []

  count(reply: string | undefined): Outcome {
    const outcome = reply === undefined ? 'unanswered' : outcomeOf(reply)
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    if (reply?.startsWith('-')) {
      // Shard names differ from run to run; the kind of error does not.
      const kind = reply
        .slice(1)
        .trimEnd()
        .replace(/shard \S+/, 'shard *')
      this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1)
    }
    return outcome
  }

  violated(text: string): void {
    if (this.violations.length < 100) this.violations.push(text)
  }
}
