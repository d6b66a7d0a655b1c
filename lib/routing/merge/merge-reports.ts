/**
 * Merges the reports of several shards about themselves (MEMORY, LATENCY, SLOWLOG, FUNCTION STATS)
 * into one of the same shape. Pure: frames in, frame out.
 */
import { arrayHeader, Double, encodeValue, type Value, VerbatimText } from '../../resp/encode.ts'
import { ElementReader, integerOf } from '../../resp/reply-reader.ts'
import { type Fields, fieldsOf, readReply } from '../../resp/reply-value.ts'

/**
 * Undefined when the shards' replies do not have the shape that the merge is for. Precondition: no
 * reply is an error.
 */
export type MergeReports = (replies: readonly Buffer[], protocol: 2 | 3) => Buffer | undefined

function readAllFields(replies: readonly Buffer[]): Fields[] | undefined {
  const all = replies.flatMap((reply) => fieldsOf(readReply(reply)) ?? [])
  return all.length === replies.length ? all : undefined
}

/** Each shard's text under its name. */
export function joinTexts(
  replies: readonly Buffer[],
  names: readonly string[],
  protocol: 2 | 3,
): Buffer | undefined {
  const parts: Buffer[] = []
  for (const [i, reply] of replies.entries()) {
    const value = readReply(reply)
    const text = value instanceof VerbatimText ? value.bytes : value
    if (!Buffer.isBuffer(text)) return undefined
    parts.push(Buffer.from(`${i === 0 ? '' : '\n'}# Shard ${names[i]}\n`), text)
  }
  return encodeValue(new VerbatimText(Buffer.concat(parts)), protocol)
}

/** MEMORY STATS: bytes and counts add up; of percentages, ratios and sizes per key the mean. */
export const mergeMemoryStats: MergeReports = (replies, protocol) => {
  const all = readAllFields(replies)
  return all && encodeValue(mergeStatistics(all), protocol)
}

function mergeStatistics(all: readonly Fields[]): Fields {
  const merged: Fields = new Map()
  for (const name of new Set(all.flatMap((fields) => [...fields.keys()]))) {
    const values = all.map((fields) => fields.get(name)).filter((value) => value !== undefined)
    const nested = values.flatMap((value) => fieldsOf(value) ?? [])
    // A database that only some shards use.
    if (nested.length > 0) merged.set(name, mergeStatistics(nested))
    else merged.set(name, mergeStatistic(name, values))
  }
  return merged
}

function mergeStatistic(name: string | bigint, values: readonly Value[]): Value {
  const integers = values.filter((value) => typeof value === 'bigint')
  if (integers.length < values.length) {
    const numbers = values.map((value) => Number(value instanceof Double ? value.text : value))
    return new Double(String(numbers.reduce((sum, number) => sum + number, 0) / numbers.length))
  }
  const sum = integers.reduce((total, integer) => total + integer, 0n)
  return name === 'keys.bytes-per-key' ? sum / BigInt(integers.length) : sum
}

/** LATENCY LATEST: for each event when and how long it was last, and the longest ever. */
export const mergeLatencyLatest: MergeReports = (replies, protocol) => {
  const events = new Map<string, readonly [Value, bigint, bigint, bigint]>()
  for (const entry of replies.flatMap((reply) => listOf(readReply(reply)))) {
    const [name, at, latest, longest] = listOf(entry)
    if (!Buffer.isBuffer(name) || !areIntegers(at, latest, longest)) return undefined
    const key = name.toString('latin1')
    const known = events.get(key)
    const event = [name, at as bigint, latest as bigint, longest as bigint] as const
    const newer = known === undefined || event[1] > known[1] ? event : known
    const max = known === undefined || event[3] > known[3] ? event[3] : known[3]
    events.set(key, [name, newer[1], newer[2], max])
  }
  return encodeValue([...events.values()], protocol)
}

/** LATENCY HISTORY: all samples, oldest first. */
export const mergeLatencyHistory: MergeReports = (replies, protocol) => {
  const samples = replies.flatMap((reply) => listOf(readReply(reply)))
  const timeOf = (sample: Value): bigint => listOf(sample)[0] as bigint
  if (samples.some((sample) => !areIntegers(...listOf(sample)))) return undefined
  return encodeValue(
    samples.toSorted((a, b) => compare(timeOf(a), timeOf(b))),
    protocol,
  )
}

/** LATENCY HISTOGRAM: calls add up, and so do the calls within each bucket's bound. */
export const mergeLatencyHistogram: MergeReports = (replies, protocol) => {
  const all = readAllFields(replies)
  if (all === undefined) return undefined
  const merged: Fields = new Map()
  for (const command of new Set(all.flatMap((fields) => [...fields.keys()]))) {
    const histograms = all.flatMap((fields) => fieldsOf(fields.get(command)) ?? [])
    const calls = histograms.map((histogram) => histogram.get('calls'))
    const buckets = histograms.flatMap((each) => bucketsOf(each.get('histogram_usec')) ?? [])
    if (!areIntegers(...calls) || buckets.length < histograms.length) return undefined
    const sum = (calls as bigint[]).reduce((total, count) => total + count, 0n)
    const histogram: Fields = new Map([['calls', sum]])
    merged.set(command, histogram.set('histogram_usec', mergeBuckets(buckets)))
  }
  return encodeValue(merged, protocol)
}

/** Numbers of calls by the microseconds that they took at most, ascending. */
type Buckets = readonly (readonly [bound: bigint, calls: bigint])[]

/** In a list of its own, so that the lists of several shards can be told apart. */
function bucketsOf(value: Value | undefined): [Buckets] | undefined {
  const entries = [...(fieldsOf(value) ?? [])]
  return entries.every((entry) => areIntegers(...entry))
    ? [entries as unknown as Buckets]
    : undefined
}

/** A shard leaves out the bounds at which its count does not change. */
function mergeBuckets(all: readonly Buckets[]): Fields {
  const bounds = [...new Set(all.flat().map(([bound]) => bound))].sort(compare)
  const upTo = (buckets: Buckets, bound: bigint): bigint =>
    buckets.findLast((bucket) => bucket[0] <= bound)?.[1] ?? 0n
  return new Map(
    bounds.map((bound) => [bound, all.reduce((sum, each) => sum + upTo(each, bound), 0n)]),
  )
}

/** FUNCTION STATS: every shard has the same functions; a script may run on any. */
export const mergeFunctionStats: MergeReports = (replies) => {
  const all = readAllFields(replies)
  const running = all?.findIndex((fields) => fields.get('running_script') !== null)
  return running === undefined ? undefined : replies[Math.max(0, running)]
}

/** SLOWLOG GET: newest first, at most `count` (-1: all). Entries stay as they are, ids included. */
export function mergeSlowlogs(replies: readonly Buffer[], count: number): Buffer | undefined {
  const entries: { readonly frame: Buffer; readonly time: bigint }[] = []
  for (const reply of replies) {
    const reader = new ElementReader(reply)
    if (reader.count < 0) return undefined
    for (const frame of reader.rest()) {
      // An entry is id, time, duration, arguments ...
      const [, at] = new ElementReader(frame).rest()
      const time = at && integerOf(at)
      if (time === undefined) return undefined
      entries.push({ frame, time })
    }
  }
  entries.sort((a, b) => compare(b.time, a.time))
  const kept = count < 0 ? entries : entries.slice(0, count)
  return Buffer.concat([arrayHeader(kept.length), ...kept.map(({ frame }) => frame)])
}

function listOf(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? value : []
}

function areIntegers(...values: readonly (Value | undefined)[]): boolean {
  return values.length > 0 && values.every((value) => typeof value === 'bigint')
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
