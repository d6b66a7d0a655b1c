/** XREAD and XREADGROUP of streams at several places, as reads that do not block. Pure. */

import { CROSSSLOT } from '../../../failures.ts'
import { ElementReader, isError } from '../../../resp/reply-reader.ts'
import {
  type CrossShardRead,
  judgement,
  type PlaceRead,
  readStreams,
  type SeveralKeys,
} from '../../../routing/reads/cross-shard-read.ts'

/** Whether the command of this name, lower case, reads streams, which may be at several places. */
export function readsStreams(name: string): boolean {
  return name === 'xread' || name === 'xreadgroup'
}

/** XREAD or XREADGROUP of streams at several places. */
export type Streams = Omit<SeveralKeys, 'formatScore'>

export interface BlockingRead {
  /** Milliseconds; Infinity: for ever. */
  readonly timeoutMs: number
  /** The same without BLOCK. */
  readonly streams: Streams
}

/** How many words options are that are more than one. */
const WORDS: Readonly<Record<string, number>> = { COUNT: 2, GROUP: 3 }

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,18})$/

/** Redis counts in milliseconds, 64 bits. */
const LONGEST_MS = 2 ** 63

/**
 * A BLOCK that Redis does not take is left where it is: each shard refuses it at once, in Redis's own words,
 * and in the order in which Redis reads the options.
 */
export function parseBlockingRead(streams: Streams): BlockingRead {
  const { args, firstKey } = streams
  const options: string[] = [args[0] as string]
  let timeoutMs = Number.POSITIVE_INFINITY
  // The last word before the keys is STREAMS.
  for (let at = 1; at < firstKey - 1; ) {
    const [word = '', value = ''] = args.slice(at, Math.min(at + 2, firstKey - 1))
    const name = word.toUpperCase()
    if (name === 'BLOCK' && isTimeout(value)) {
      timeoutMs = Number(value) === 0 ? Number.POSITIVE_INFINITY : Number(value)
      at += 2
      continue
    }
    const taken = WORDS[name] ?? 1
    options.push(...args.slice(at, Math.min(at + taken, firstKey - 1)))
    at += taken
  }
  const rest = args.slice(firstKey - 1)
  return {
    timeoutMs,
    streams: { ...streams, args: [...options, ...rest], firstKey: options.length + 1 },
  }
}

function isTimeout(text: string): boolean {
  return WHOLE_NUMBER.test(text) && Number(text) <= LONGEST_MS - Date.now()
}

/** What to ask for now, and how to make one reply of the replies. */
export function readNow(streams: Streams): CrossShardRead {
  const command = { ...streams, formatScore: String }
  return readStreams(command) ?? judgement(command, CROSSSLOT)
}

/** No entry has it but one that has been given it, and none comes behind it. */
const BEHIND_ALL = '18446744073709551615-18446744073709551614'

/**
 * XREADGROUP of what the consumer has of each stream behind all ids: nothing, or Redis's own words why it will get
 * nothing from the stream. One read each, in the client's order.
 */
export function readNothing({ args, firstKey, places }: Streams): PlaceRead[] {
  return places.map((place, key) => ({
    place,
    args: [...args.slice(0, firstKey), args[firstKey + key] as string, BEHIND_ALL],
  }))
}

/** What tells the last entries of the streams that are read from their end on (`$`), one read each. */
export function readLast({ args, firstKey, places }: Streams): PlaceRead[] {
  const count = places.length
  if (args.length !== firstKey + 2 * count) return []
  const reads = new Map<string, PlaceRead>()
  for (let key = 0; key < count; key++) {
    const name = args[firstKey + key] as string
    if (args[firstKey + count + key] !== '$') continue
    const place = places[key] as number
    reads.set(name, { place, args: ['XREVRANGE', name, '+', '-', 'COUNT', '1'] })
  }
  return [...reads.values()]
}

/**
 * The streams with the ids of their last entries in place of `$`, from the replies to `reads`: a read that is made
 * later than the client has asked for would begin later. A stream whose reply is an error keeps its `$`.
 */
export function fromLast(
  streams: Streams,
  reads: readonly PlaceRead[],
  replies: readonly Buffer[],
): Streams {
  const { args, firstKey, places } = streams
  const ids = new Map<string, string>()
  for (const [at, { args }] of reads.entries()) {
    const reply = replies[at] as Buffer
    if (!isError(reply)) ids.set(args[1] as string, lastIdOf(reply))
  }
  const firstId = firstKey + places.length
  const pinned = args.map((word, at) => {
    const name = args[at - places.length] as string
    return at >= firstId && word === '$' ? (ids.get(name) ?? word) : word
  })
  return { ...streams, args: pinned }
}

/** A stream without entries is read from its beginning: what comes is new. */
function lastIdOf(reply: Buffer): string {
  const [entry] = new ElementReader(reply).rest()
  if (entry === undefined) return '0-0'
  const reader = new ElementReader(entry)
  reader.next()
  const id = entry.toString('latin1', reader.start, reader.end)
  return id.slice(id.indexOf('\n') + 1, -2)
}
