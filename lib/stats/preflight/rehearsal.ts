/**
 * What a future configuration would do with today's requests. This file counts and makes the report;
 * `lib/dispatcher/preflight/` judges the requests.
 */
import { CommandCounts } from '../command-counts.ts'
import type { ShowKeys } from '../lookout/shown-key.ts'
import type { MirrorState } from '../mirror/mirror-counts.ts'
import { Findings, type PatternReport } from './findings.ts'
import { KINDS, type Kind, type Outcome } from './kinds.ts'
import { type LoadReport, Loads, type Share } from './loads.ts'

/** Patterns of one finding that a report has. */
const PATTERNS_SHOWN = 8

export interface FindingReport {
  readonly outcome: Outcome
  readonly kind: Kind
  readonly command: string
  readonly requests: number
  readonly why: string
  /** Null: there is nothing to do. */
  readonly help: string | null
  readonly patterns: readonly PatternReport[]
}

/** What new servers answer to the copies of today's requests. */
export interface MirrorReport {
  /** The pool whose requests are copied, and the one that gets the copies. */
  readonly pool: string
  readonly mirror: string
  readonly sent: number
  /** Answered with an error. */
  readonly errors: number
  readonly unanswered: number
  readonly dropped: number
}

export interface PreflightReport {
  /** The future configuration, without secrets. */
  readonly whatIf: string
  /** ISO 8601. */
  readonly since: string
  /** All that were judged. */
  readonly requests: number
  readonly passed: number
  readonly split: number
  readonly combined: number
  readonly refused: number
  /** They pass, and may not find what they look for. */
  readonly undeclared: number
  /** Of those that pass: scripts that name keys. Whether they use others cannot be seen. */
  readonly unseen: number
  /** The most used first. */
  readonly commands: readonly { readonly command: string; readonly requests: number }[]
  readonly findings: readonly FindingReport[]
  readonly shards: readonly LoadReport[]
  /** Of the pools that are mirrored. */
  readonly mirrors: readonly MirrorReport[]
}

export interface RehearsalOptions {
  readonly whatIf: string
  readonly showKeys: ShowKeys
  readonly shares: readonly Share[]
  /** The name of the command whose row has this id. */
  readonly nameOf: (command: number) => string
  readonly mirrors: () => readonly MirrorState[]
}

export class Rehearsal {
  readonly loads: Loads
  readonly findings: Findings
  readonly commands = new CommandCounts()
  /** Scripts that pass and name keys. */
  unseen = 0
  readonly #options: RehearsalOptions
  readonly #sinceMs = Date.now()

  constructor(options: RehearsalOptions) {
    this.#options = options
    this.loads = new Loads(options.shares)
    this.findings = new Findings(options.showKeys)
  }

  /** `tellsKeys`: no pattern and no example otherwise, whatever `showKeys` says. */
  report(tellsKeys = true): PreflightReport {
    const { whatIf, nameOf } = this.#options
    const all = this.findings.all()
    const sum = (outcome: Outcome): number => {
      const those = all.filter(({ kind }) => KINDS[kind].outcome === outcome)
      return those.reduce((total, { count }) => total + count, 0)
    }
    const { requests } = this.commands
    const counts = { split: sum('split'), combined: sum('combined'), refused: sum('refused') }
    return {
      whatIf,
      since: new Date(this.#sinceMs).toISOString(),
      requests,
      passed: requests - counts.split - counts.combined - counts.refused,
      ...counts,
      undeclared: sum('undeclared'),
      unseen: this.unseen,
      commands: this.commands.used().map((used) => {
        return { command: nameOf(used.command), requests: used.requests }
      }),
      findings: all.map((finding) => ({
        outcome: KINDS[finding.kind].outcome,
        kind: finding.kind,
        command: nameOf(finding.command),
        requests: finding.count,
        why: KINDS[finding.kind].why,
        help: tellsKeys ? this.findings.helpFor(finding) : KINDS[finding.kind].help(''),
        patterns: tellsKeys ? this.findings.patternsOf(finding, PATTERNS_SHOWN) : [],
      })),
      shards: this.loads.report(),
      mirrors: this.#options.mirrors().map(mirrorReport),
    }
  }
}

function mirrorReport({ pool, mirror, counts }: MirrorState): MirrorReport {
  const { sent, errors, unanswered, dropped } = counts
  return { pool, mirror, sent, errors, unanswered, dropped: dropped.full + dropped.away }
}
