/**
 * Makes one reply out of the shards' replies to one command, by Redis's own response policies
 * (https://redis.io/docs/latest/develop/reference/command-tips/). Pure: frames in, frame out.
 */
import type { ResponsePolicy } from '../../commands/row.ts'
import { arrayHeader, integerFrame } from '../../resp/encode.ts'
import { ElementReader, integerOf, isError } from '../../resp/reply-reader.ts'

/**
 * How replies are merged. `concatenate`: no policy, all elements in shard order (KEYS).
 * No policy on a split command (each element in the place of its key) needs the keys' owners as well:
 * see interleave.ts.
 */
export type Merge = Exclude<ResponsePolicy, 'special'> | 'concatenate'

type Reducer = (replies: readonly Buffer[]) => Buffer | undefined

const REDUCERS = {
  all_succeeded: (replies) => replies[0],
  one_succeeded: (replies) => replies.find((reply) => !isError(reply)) ?? replies[0],
  agg_sum: (replies) => foldNumbers(replies, (a, b) => a + b),
  agg_min: (replies) => foldNumbers(replies, (a, b) => (b < a ? b : a)),
  agg_max: (replies) => foldNumbers(replies, (a, b) => (b > a ? b : a)),
  agg_logical_and: (replies) => foldNumbers(replies, (a, b) => (a !== 0n && b !== 0n ? 1n : 0n)),
  agg_logical_or: (replies) => foldNumbers(replies, (a, b) => (a !== 0n || b !== 0n ? 1n : 0n)),
  concatenate,
} as const satisfies Record<Merge, Reducer>

/**
 * Merges one reply per shard, in shard order, at least one. The first error wins, except with
 * `one_succeeded`. Undefined when the shards' replies are not of the kind that the policy is for.
 */
export function mergeReplies(merge: Merge, replies: readonly Buffer[]): Buffer | undefined {
  const error = replies.find(isError)
  if (error !== undefined && merge !== 'one_succeeded') return error
  return REDUCERS[merge](replies)
}

/** Integers are folded; arrays of integers are folded place by place (SCRIPT EXISTS, WAITAOF). */
function foldNumbers(
  replies: readonly Buffer[],
  fold: (a: bigint, b: bigint) => bigint,
): Buffer | undefined {
  const first = replies[0] as Buffer
  if (integerOf(first) !== undefined) return foldIntegers(replies, fold)
  const columns = replies.map((reply) => new ElementReader(reply))
  const { count } = columns[0] as ElementReader
  if (count < 0 || columns.some((column) => column.count !== count)) return undefined
  const rows = columns.map((column) => column.rest())
  const folded: Buffer[] = [arrayHeader(count)]
  for (let i = 0; i < count; i++) {
    const element = foldIntegers(
      rows.map((row) => row[i] as Buffer),
      fold,
    )
    if (element === undefined) return undefined
    folded.push(element)
  }
  return Buffer.concat(folded)
}

function foldIntegers(
  replies: readonly Buffer[],
  fold: (a: bigint, b: bigint) => bigint,
): Buffer | undefined {
  let result: bigint | undefined
  for (const reply of replies) {
    const value = integerOf(reply)
    if (value === undefined) return undefined
    result = result === undefined ? value : fold(result, value)
  }
  return integerFrame(result as bigint)
}

/** All elements of all replies; the kind of aggregate (array or RESP3 set) is the first's. */
function concatenate(replies: readonly Buffer[]): Buffer | undefined {
  let count = 0
  const parts: Buffer[] = []
  for (const reply of replies) {
    const reader = new ElementReader(reply)
    if (reader.count < 0) return undefined
    count += reader.count
    parts.push(reply.subarray(reader.start))
  }
  const kind = String.fromCharCode((replies[0] as Buffer)[0] as number)
  return Buffer.concat([Buffer.from(`${kind}${count}\r\n`, 'latin1'), ...parts])
}
