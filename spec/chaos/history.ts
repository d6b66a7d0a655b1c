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

/** How long before a master is lost, and after, an acknowledgement may be of a write that is lost with it. */
const LOSS_MS = 1000

/** Times in which a master was lost without handing over, or may have been, and what went with it. */
export class Losses {
  /** Acknowledged writes that no replica had. */
  writes = 0
  readonly #times: { readonly fromMs: number; toMs: number }[] = []

  /** One is lost now. Returns what ends the time in which one may be lost, if that is later. */
  begin(): () => void {
    const now = performance.now()
    const time = { fromMs: now - LOSS_MS, toMs: now + LOSS_MS }
    this.#times.push(time)
    return () => {
      time.toMs = performance.now() + LOSS_MS
    }
  }

  /** Whether what was acknowledged at this moment may have been lost. */
  covers(acknowledgedMs: number): boolean {
    return this.#times.some(({ fromMs, toMs }) => fromMs < acknowledgedMs && acknowledgedMs < toMs)
  }
}

interface Former {
  readonly values: Set<string>
  readonly endedMs: number
}

/** Acknowledged values that are remembered in case the newer ones are lost. */
const FORMER_MAX = 64

/** One key that a single client writes, in order: which values may a read find? */
export class Register {
  readonly #losses: Losses
  #values = new Set<string>([NOTHING])
  /** What was there before, and when the acknowledgement came that it was there no more. */
  readonly #former: Former[] = []
  /**
   * Writes of unknown outcome may take effect late: the shard may still have them in a socket that
   * we have given up. They stay possible for the rest of the run.
   */
  readonly #late = new Set<string>()

  constructor(losses: Losses) {
    this.#losses = losses
  }

  wrote(value: string, outcome: Outcome): void {
    if (MAYBE_DONE.has(outcome)) this.#late.add(value)
    if (outcome !== 'ok') return
    this.#former.push({ values: this.#values, endedMs: performance.now() })
    if (this.#former.length > FORMER_MAX) this.#former.shift()
    this.#values = new Set([value])
  }

  allows(value: string): boolean {
    return this.#values.has(value) || this.#late.has(value) || this.#wasLost(value)
  }

  toString(): string {
    const all = [...this.#values, ...[...this.#late].slice(-LATE_SHOWN)]
    return all.map(shown).join(' or ')
  }

  /** When the acknowledgement came that the value was there no more, as `performance.now` tells. */
  endedMs(value: string): number | undefined {
    return this.#former.findLast(({ values }) => values.has(value))?.endedMs
  }

  /** Whether the value is an older one, and all newer ones may have been lost with a master. */
  #wasLost(value: string): boolean {
    for (let at = this.#former.length - 1; at >= 0; at--) {
      const { values, endedMs } = this.#former[at] as Former
      if (!this.#losses.covers(endedMs)) return false
      if (!values.has(value)) continue
      this.#losses.writes += this.#former.length - at
      this.#values = values
      this.#former.length = at
      return true
    }
    return false
  }
}

/** Of a register's values that may come late. */
const LATE_SHOWN = 3

/** A value as a line about it has it. */
export function shown(value: string | undefined): string {
  return JSON.stringify(value?.slice(0, 30)) ?? 'nothing'
}

/** What a read of a missing key gives. */
export const NOTHING = '(nil)'

/** Tokens pushed once each onto lists: how often may each be there in the end? */
export class Tokens {
  readonly #outcomes = new Map<string, { readonly outcome: Outcome; readonly atMs: number }>()

  pushed(token: string, outcome: Outcome): void {
    this.#outcomes.set(token, { outcome, atMs: performance.now() })
  }

  /** One line for each token that is there too often or not at all, given all that were found. */
  violations(found: readonly string[], { losses }: Report): string[] {
    const counts = new Map<string, number>()
    for (const token of found) counts.set(token, (counts.get(token) ?? 0) + 1)
    const violations: string[] = []
    for (const [token, { outcome, atMs }] of this.#outcomes) {
      const count = counts.get(token) ?? 0
      const most = outcome === 'ok' || MAYBE_DONE.has(outcome) ? 1 : 0
      const least = outcome === 'ok' ? 1 : 0
      if (count < least && losses.covers(atMs)) losses.writes += 1
      else if (count < least || count > most) {
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
  readonly losses = new Losses()
  readonly #beganMs = performance.now()
  /** What is done to the servers, and since when. */
  #deed = 'nothing'

  /** From now on this is done to the servers. */
  deed(name: string): void {
    this.#deed = `${name} since ${this.at(performance.now())}`
  }

  /** A moment of `performance.now` in seconds of the run. */
  at(ms: number): string {
    return `${((ms - this.#beganMs) / 1000).toFixed(2)} s`
  }

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
    if (this.violations.length >= 100) return
    this.violations.push(`at ${this.at(performance.now())}, ${this.#deed}: ${text}`)
  }
}
