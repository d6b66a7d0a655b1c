/**
 * Makes one reply out of the shards' replies to one command, by Redis's own response policies
 * (https://redis.io/docs/latest/develop/reference/command-tips/). Pure: frames in, frame out.
 */
import type { ResponsePolicy } from '../commands/row.ts'
import { CHUNK_BYTES, Chunk, copyToChunk, copyWords, WORDWISE_BYTES_MAX } from '../io/chunk.ts'
import { arrayHeader, integerFrame } from '../resp/encode.ts'
import { ElementReader, integerOf, isError } from '../resp/reply-reader.ts'

/**
 * How replies are merged. `concatenate`: no policy, all elements in shard order (KEYS).
 * `interleave` (no policy on a split command: each element in the place of its key) needs the
 * keys' owners as well and is a function of its own.
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

/**
 * Puts the elements of the shards' arrays back into the order of the keys: element i is the next
 * one of reply `owners[i]`. The first error wins. Undefined when a reply is not an array with one
 * element for each of its keys. The result lies in a buffer that the next call uses again.
 */
export function interleave(replies: readonly Buffer[], owners: Int32Array): Buffer | undefined {
  const error = replies.find(isError)
  if (error !== undefined) return error
  const readers = replies.map((reply) => new ElementReader(reply))
  const due = new Int32Array(replies.length)
  for (const owner of owners) due[owner] = (due[owner] as number) + 1
  if (readers.some((reader, i) => reader.count !== due[i])) return undefined
  const header = arrayHeader(owners.length)
  const bodyBytes = readers.reduce((sum, { start, frame }) => sum + frame.length - start, 0)
  const merged = scratchFor(header.length + bodyBytes)
  copyToChunk(merged, 0, header, 0, header.length)
  let at = header.length
  for (const owner of owners) {
    const reader = readers[owner] as ElementReader
    reader.next()
    const { start, end } = reader
    if (end - start <= WORDWISE_BYTES_MAX) copyWords(merged, at, reader.view, start, end)
    else copyToChunk(merged, at, reader.frame, start, end)
    at += end - start
  }
  return merged.bytes.subarray(0, at)
}

const scratch = new Chunk(CHUNK_BYTES)

/** Merged replies are copied onward at once, so the usual ones share one buffer. */
function scratchFor(length: number): Chunk {
  return length <= scratch.bytes.length ? scratch : new Chunk(length)
}
