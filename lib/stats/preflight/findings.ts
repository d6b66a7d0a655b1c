/**
 * What a rehearsal finds: counts by kind and command, and for each the patterns of the keys. Counts are
 * exact. Patterns come from the first requests, and from a sample of the later ones. Memory is bounded.
 */
import {
  REHEARSED_FIRST,
  REHEARSED_KEYS_MAX,
  REHEARSED_PATTERNS_MAX,
  REHEARSED_SAMPLING,
} from '../../limits.ts'
import { type ShowKeys, shownKey } from '../lookout/shown-key.ts'
import { patternHash, patternOf, prefixOf } from './key-pattern.ts'
import { KIND_NAMES, KINDS, type Kind } from './kinds.ts'

/** Its text where keys are shown in clear, else its hash. */
type PatternName = string | number

interface Pattern {
  readonly hash: number
  /** Undefined unless keys are shown in clear. Latin-1. */
  readonly text: string | undefined
  readonly example: string | undefined
  count: number
}

export interface Finding {
  readonly kind: Kind
  /** The id of its row. */
  readonly command: number
  count: number
  /** Requests of which a pattern was taken. */
  sampled: number
  readonly patterns: Map<PatternName, Pattern>
}

export interface PatternReport {
  /** As `showKeys` says. */
  readonly pattern: string | null
  /** The keys of one request; null unless they are shown in clear. */
  readonly example: string | null
  /** Its part of the requests that were looked at. */
  readonly share: number
}

export class Findings {
  readonly #show: ShowKeys
  /** By kind and command. */
  readonly #all = new Map<number, Finding>()
  #patterns = 0

  constructor(show: ShowKeys) {
    this.#show = show
  }

  /** Counts a request of this kind. Returns its finding if `note` should get its keys. */
  count(kind: Kind, command: number): Finding | undefined {
    const at = command * KIND_NAMES.length + KIND_NAMES.indexOf(kind)
    let finding = this.#all.get(at)
    if (finding === undefined) {
      finding = { kind, command, count: 0, sampled: 0, patterns: new Map() }
      this.#all.set(at, finding)
    }
    finding.count++
    if (this.#show === 'off') return undefined
    const isLookedAt = finding.count <= REHEARSED_FIRST || finding.count % REHEARSED_SAMPLING === 0
    return isLookedAt ? finding : undefined
  }

  /** `keys`: some that the request names, in latin-1, each cut as keys are that are kept. */
  note(finding: Finding, keys: readonly string[]): void {
    finding.sampled++
    const some = keys.slice(0, REHEARSED_KEYS_MAX)
    const text = [...new Set(some.map(patternOf))].join(' ')
    const hash = patternHash(text)
    const isShown = this.#show === 'clear'
    const name = isShown ? text : hash
    const known = finding.patterns.get(name)
    if (known !== undefined) {
      known.count++
    } else if (keys.length > 0 && this.#patterns < REHEARSED_PATTERNS_MAX) {
      this.#patterns++
      const shown = isShown ? { text, example: some.join(' ') } : {}
      finding.patterns.set(name, { hash, text: undefined, example: undefined, ...shown, count: 1 })
    }
  }

  /** In the order of the kinds, the most frequent commands of each first. */
  all(): Finding[] {
    const rank = ({ kind }: Finding): number => KIND_NAMES.indexOf(kind)
    return [...this.#all.values()].sort((one, other) => {
      return rank(one) - rank(other) || other.count - one.count
    })
  }

  /** The most frequent first. */
  patternsOf({ patterns, sampled }: Finding, most: number): PatternReport[] {
    const all = [...patterns.values()].sort((one, other) => other.count - one.count)
    return all.slice(0, most).map(({ hash, text, example, count }) => ({
      pattern: shownKey(this.#show, hash, text),
      example: example === undefined ? null : shownKey(this.#show, hash, example),
      share: count / sampled,
    }))
  }

  helpFor({ kind, patterns }: Finding): string | null {
    const words = [...patterns.values()].flatMap(({ text = '' }) => text.split(' '))
    const prefixes = new Set(words.map(prefixOf).filter((prefix) => prefix !== ''))
    const shown = [...prefixes].slice(0, REHEARSED_KEYS_MAX)
    return KINDS[kind].help(shown.map((prefix) => shownKey(this.#show, 0, prefix)).join(', '))
  }
}
