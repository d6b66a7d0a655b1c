/**
 * The options behind the keys of commands that combine sets, read as Redis reads them. Options that
 * are not plainly right give `undefined`; a shard then judges the whole command, in Redis's own
 * words.
 */
import { AGGREGATES, type Aggregate } from './sorted-set-algebra.ts'

export interface ScoreOptions {
  /** One for each key. */
  readonly weights: readonly number[]
  readonly aggregate: Aggregate
  readonly withScores: boolean
}

/** ZUNION and ZINTER: WEIGHTS, AGGREGATE, WITHSCORES in any order; of repeated ones the last wins. */
export function scoreOptions(words: readonly string[], keyCount: number): ScoreOptions | undefined {
  let weights: readonly number[] = new Array(keyCount).fill(1)
  let aggregate: Aggregate = 'SUM'
  let withScores = false
  for (let at = 0; at < words.length; at++) {
    const word = upper(words[at])
    if (word === 'WITHSCORES') {
      withScores = true
    } else if (word === 'AGGREGATE') {
      const name = upper(words[++at])
      if (!isAggregate(name)) return undefined
      aggregate = name
    } else if (word === 'WEIGHTS' && at + keyCount < words.length) {
      weights = words.slice(at + 1, at + 1 + keyCount).map(weightOf)
      if (weights.some(Number.isNaN)) return undefined
      at += keyCount
    } else {
      return undefined
    }
  }
  return { weights, aggregate, withScores }
}

/** ZDIFF: whether scores are asked for. */
export function withScoresOption(words: readonly string[]): boolean | undefined {
  if (words.some((word) => upper(word) !== 'WITHSCORES')) return undefined
  return words.length > 0
}

/** SINTERCARD and ZINTERCARD: the number to count to; 0 and no LIMIT mean all. */
export function limitOption(words: readonly string[]): number | undefined {
  let limit = 0
  for (let at = 0; at < words.length; at += 2) {
    const text = words[at + 1]
    // 18 digits are below Redis's own limit of 2^63 - 1.
    if (upper(words[at]) !== 'LIMIT' || text === undefined || !/^(0|[1-9]\d{0,17})$/.test(text)) {
      return undefined
    }
    limit = Number(text)
  }
  return limit === 0 ? Number.POSITIVE_INFINITY : limit
}

/** NaN unless it is a decimal number or an infinity. C's hexadecimal ones are left to the shard. */
function weightOf(text: string): number {
  const infinity = /^([+-]?)inf(inity)?$/i.exec(text)
  if (infinity !== null)
    return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number.NaN
  const value = Number(text)
  // Redis refuses numbers that a double cannot hold: too large, or so small that 0 is left.
  const isLost = !Number.isFinite(value) || (value === 0 && /^[^e]*[1-9]/i.test(text))
  return isLost ? Number.NaN : value
}

function isAggregate(name: string): name is Aggregate {
  return Object.hasOwn(AGGREGATES, name)
}

function upper(word: string | undefined): string {
  return (word ?? '').toUpperCase()
}
