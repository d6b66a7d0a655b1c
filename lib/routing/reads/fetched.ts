/** Reads the frames of sets and sorted sets that shards sent, and makes those that clients get. */
import { LF } from '../../resp/bytes.ts'
import { type DoubleFormat, parseDouble } from '../../resp/double.ts'
import type { Members } from './set-algebra.ts'
import type { ScoredMember } from './sorted-set-algebra.ts'

const AGGREGATES = '*~'
const BULK = '$'
const DOUBLE = ','

/**
 * The texts of a set, or of a sorted set with or without scores, in latin-1. Undefined when the
 * frame is something else.
 *
 * Members are bulk strings; scores are doubles in RESP3. RESP3 puts each member and its score into
 * an array; without the array headers the rest is as in RESP2.
 */
export function textsOf(frame: Buffer): string[] | undefined {
  const texts: string[] = []
  if (!AGGREGATES.includes(kindAt(frame, 0))) return undefined
  let at = 0
  while (at < frame.length) {
    const kind = kindAt(frame, at)
    const lineEnd = frame.indexOf(LF, at)
    const line = frame.toString('latin1', at + 1, lineEnd - 1)
    at = lineEnd + 1
    if (kind === DOUBLE) texts.push(line)
    else if (kind === BULK && line !== '-1') {
      const end = at + Number(line)
      texts.push(frame.toString('latin1', at, end))
      at = end + 2
    } else if (!AGGREGATES.includes(kind)) return undefined
  }
  return texts
}

function kindAt(frame: Buffer, at: number): string {
  return String.fromCharCode(frame[at] as number)
}

/** The members and scores of a sorted set, in its order; undefined when the frame holds something else. */
export function scoredMembersOf(frame: Buffer): ScoredMember[] | undefined {
  return scoredOf(textsOf(frame) ?? [''])
}

/** Members with their scores, from a list in which each member is followed by its score. */
export function scoredOf(texts: readonly string[]): ScoredMember[] | undefined {
  const members: ScoredMember[] = []
  for (let i = 0; i < texts.length; i += 2) {
    const score = parseDouble(texts[i + 1] ?? '')
    if (Number.isNaN(score)) return undefined
    members.push([texts[i] as string, score])
  }
  return members
}

/** The value of a string reply; null for a null; undefined when the frame is something else. */
export function stringOf(frame: Buffer): Buffer | null | undefined {
  const kind = kindAt(frame, 0)
  if (kind === '_' || frame.toString('latin1', 0, 3) === '$-1') return null
  return kind === BULK ? frame.subarray(frame.indexOf(LF) + 1, -2) : undefined
}

export function setFrame(members: Members, protocol: 2 | 3): Buffer {
  return frameOf(protocol === 3 ? '~' : '*', members.length, members.map(bulk))
}

/** What sorted-set commands answer without scores: their order means something. */
export function membersFrame(members: readonly ScoredMember[]): Buffer {
  return frameOf(
    '*',
    members.length,
    members.map(([member]) => bulk(member)),
  )
}

/** RESP2: members and scores by turns; RESP3: an array of pairs. */
export function scoredFrame(
  members: readonly ScoredMember[],
  protocol: 2 | 3,
  format: DoubleFormat,
): Buffer {
  if (protocol === 2) {
    const items = members.map(([member, score]) => bulk(member) + bulk(format(score)))
    return frameOf('*', 2 * members.length, items)
  }
  const pairs = members.map(([member, score]) => `*2\r\n${bulk(member)},${format(score)}\r\n`)
  return frameOf('*', members.length, pairs)
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`
}

function frameOf(kind: string, count: number, items: readonly string[]): Buffer {
  return Buffer.from(`${kind}${count}\r\n${items.join('')}`, 'latin1')
}
