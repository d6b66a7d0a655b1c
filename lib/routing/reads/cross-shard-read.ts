/**
 * Commands that read keys of several shards: what to ask each shard, and how to make one reply.
 * Pure: arguments in, arguments out; then frames in, frame out.
 *
 * As much as possible is asked in one command per shard, which is then consistent on that shard.
 * Where the arithmetic needs each key by itself (weighted scores, whose sums depend on the order;
 * HyperLogLogs) each key is read at a moment of its own. Nothing is consistent over shards.
 *
 * Texts are in latin-1: one character, one byte.
 */

import type { DoubleFormat } from '../../resp/double.ts'
import { integerFrame } from '../../resp/encode.ts'
import { isError } from '../../resp/reply-reader.ts'
import {
  membersFrame,
  scoredFrame,
  scoredMembersOf,
  scoredOf,
  setFrame,
  stringOf,
  textsOf,
} from './fetched.ts'
import { HyperLogLog } from './hyperloglog.ts'
import { limitOption, scoreOptions, withScoresOption } from './read-options.ts'
import { differenceOf, intersectionOf, type Members, unionOf } from './set-algebra.ts'
import {
  differenceOfScored,
  intersectionOfScored,
  type ScoredInput,
  type ScoredMember,
  unionOfScored,
} from './sorted-set-algebra.ts'
import { mergeStreams, type ReadStream } from './stream-merge.ts'

export interface SeveralKeys {
  /** The command's name, and all other arguments. */
  readonly args: readonly string[]
  /** Where in `args` the first key stands; the others follow it. */
  readonly firstKey: number
  /** By key: its place. */
  readonly places: readonly number[]
  /** The client's protocol, in which the shards answer as well. */
  readonly protocol: 2 | 3
  /** How the shards write scores. */
  readonly formatScore: DoubleFormat
}

export interface PlaceRead {
  readonly place: number
  readonly args: readonly string[]
}

/** Undefined when the replies are not of the kind that was asked for. */
type Finish = (replies: readonly Buffer[]) => Buffer | undefined

export interface CrossShardRead {
  readonly reads: readonly PlaceRead[]
  /** Makes the reply from those to `reads`, in that order. */
  readonly finish: Finish
}

/** Undefined: the planner cannot read the options behind the keys. Then see `judgement`. */
export type ReadPlanner = (command: SeveralKeys) => CrossShardRead | undefined

/** By the commands' row names. */
export const CROSS_SHARD_READS: Readonly<Record<string, ReadPlanner>> = {
  sunion: (command) => readSets(command, 'SUNION', unionOf),
  sinter: (command) => readSets(command, 'SINTER', intersectionOf),
  sdiff: readDifference,
  sintercard: (command) => countCommon(command, (keys) => ['SINTER', ...keys]),
  zintercard: (command) => countCommon(command, (keys) => ['ZINTER', `${keys.length}`, ...keys]),
  zunion: (command) => readScores(command, unionOfScored),
  zinter: (command) => readScores(command, intersectionOfScored),
  zdiff: readScoredDifference,
  pfcount: countDistinct,
  xread: readStreams,
}

/**
 * What to ask when a planner cannot read a command: it goes as it came to one shard. If the shard
 * cannot read it either, the client gets Redis's own error; if it can, we must not guess the
 * meaning, and `refusal` is the reply. For sorted sets the types of the keys are asked first, since
 * Redis checks them before it reads options; every shard that knows such options has ZINTER.
 */
export function judgement(command: SeveralKeys, refusal: Buffer): CrossShardRead {
  const { args, places } = command
  const types = /^z/i.test(args[0] as string)
    ? readsByPlace(command, (keys) => ['ZINTER', `${keys.length}`, ...keys])
    : []
  return {
    reads: [...types, { place: places[0] as number, args }],
    finish: (replies) => replies.find(isError) ?? refusal,
  }
}

function readSets(
  command: SeveralKeys,
  name: string,
  combine: (sets: readonly Members[]) => Members,
): CrossShardRead {
  return {
    reads: readsByPlace(command, (keys) => [name, ...keys]),
    finish: finishWith(textsOf, (sets) => setFrame(combine(sets), command.protocol)),
  }
}

/** The first key's shard subtracts its own sets; the others send what else must go. */
function readDifference(command: SeveralKeys): CrossShardRead {
  return {
    reads: readsByPlace(command, (keys, isFirst) => [isFirst ? 'SDIFF' : 'SUNION', ...keys]),
    finish: finishWith(textsOf, ([first = [], ...others]) =>
      setFrame(differenceOf(first, others), command.protocol),
    ),
  }
}

function readScoredDifference(command: SeveralKeys): CrossShardRead | undefined {
  const withScores = withScoresOption(wordsBehindKeys(command))
  if (withScores === undefined) return undefined
  return {
    reads: readsByPlace(command, (keys, isFirst) =>
      isFirst
        ? ['ZDIFF', `${keys.length}`, ...keys, 'WITHSCORES']
        : ['ZUNION', `${keys.length}`, ...keys],
    ),
    finish: finishWith(textsOf, ([texts = [], ...others]) => {
      const first = scoredOf(texts)
      if (first === undefined) return undefined
      const result = differenceOfScored(first, others)
      return sortedFrame(result, withScores, command)
    }),
  }
}

function countCommon(
  command: SeveralKeys,
  read: (keys: readonly string[]) => string[],
): CrossShardRead | undefined {
  const limit = limitOption(wordsBehindKeys(command))
  if (limit === undefined) return undefined
  return {
    reads: readsByPlace(command, read),
    finish: finishWith(textsOf, (sets) =>
      integerFrame(Math.min(intersectionOf(sets).length, limit)),
    ),
  }
}

/** ZUNION of one key gives a sorted set, or a set with scores of 1, or Redis's error for any other. */
function readScores(
  command: SeveralKeys,
  combine: typeof unionOfScored,
): CrossShardRead | undefined {
  const keys = keysOf(command)
  const options = scoreOptions(wordsBehindKeys(command), keys.length)
  if (options === undefined) return undefined
  const { weights, aggregate, withScores } = options
  return {
    reads: readsByKey(command, (key) => ['ZUNION', '1', key, 'WITHSCORES']),
    finish: finishWith(scoredMembersOf, (sets) => {
      const distinctKeys = [...new Set(keys)]
      const scores = new Map(distinctKeys.map((key, i) => [key, new Map(sets[i])]))
      const inputs = keys.map(
        (key, i) => ({ scores: scores.get(key), weight: weights[i] }) as ScoredInput,
      )
      const result = combine(inputs, aggregate)
      return sortedFrame(result, withScores, command)
    }),
  }
}

function sortedFrame(
  members: readonly ScoredMember[],
  withScores: boolean,
  { protocol, formatScore }: SeveralKeys,
): Buffer {
  return withScores ? scoredFrame(members, protocol, formatScore) : membersFrame(members)
}

/** PFCOUNT. Errors come in the order of the keys, as Redis looks at one after the other. */
function countDistinct(command: SeveralKeys): CrossShardRead {
  return {
    reads: readsByKey(command, (key) => ['GET', key]),
    finish: (replies) => {
      const union = new HyperLogLog()
      for (const reply of replies) {
        if (isError(reply)) return reply
        const value = stringOf(reply)
        if (value === undefined) return undefined
        const error = value === null ? undefined : union.merge(value)
        if (error !== undefined) return error
      }
      return integerFrame(union.count())
    },
  }
}

/** Ids that every Redis takes, by XREAD and by XREADGROUP. */
const PLAIN_ID = /^(\$|\d{1,18}(-\d{1,18})?)$/
const PLAIN_ID_OF_GROUP = /^(>|\d{1,18}(-\d{1,18})?)$/

/**
 * XREAD, or XREADGROUP, without BLOCK: the options as they came, and each shard's streams with their ids. A stream
 * that is named again goes into a second read: one reply could not tell which of the two it means.
 * With a doubtful id each stream goes by itself: Redis looks at types and ids stream by stream, so
 * the first error is that of the first stream.
 */
export function readStreams(command: SeveralKeys): CrossShardRead | undefined {
  const { args, firstKey, places, protocol } = command
  const keys = keysOf(command)
  const ids = wordsBehindKeys(command)
  if (ids.length !== keys.length) return undefined
  const plain = /^xreadgroup$/i.test(args[0] as string) ? PLAIN_ID_OF_GROUP : PLAIN_ID
  const arePlain = ids.every((id) => plain.test(id))
  const groups = new Map<string, { reply: number; place: number; keys: string[]; ids: string[] }>()
  const timesNamed = new Map<string, number>()
  const streams: ReadStream[] = keys.map((key, i) => {
    const place = places[i] as number
    const times = timesNamed.get(key) ?? 0
    timesNamed.set(key, times + 1)
    const name = arePlain ? `${times} ${place}` : `${i}`
    const group = groups.get(name) ?? { reply: groups.size, place, keys: [], ids: [] }
    groups.set(name, group)
    group.keys.push(key)
    group.ids.push(ids[i] as string)
    return { key, reply: group.reply }
  })
  const options = args.slice(0, firstKey)
  return {
    reads: [...groups.values()].map((group) => ({
      place: group.place,
      args: [...options, ...group.keys, ...group.ids],
    })),
    finish: (replies) => mergeStreams(replies, streams, protocol),
  }
}

function keysOf({ args, firstKey, places }: SeveralKeys): string[] {
  return args.slice(firstKey, firstKey + places.length)
}

function wordsBehindKeys({ args, firstKey, places }: SeveralKeys): string[] {
  return args.slice(firstKey + places.length)
}

/** One read for each place with all its keys, the place of the first key first. */
function readsByPlace(
  command: SeveralKeys,
  read: (keys: readonly string[], isFirst: boolean) => string[],
): PlaceRead[] {
  const keysByPlace = new Map<number, string[]>()
  for (const [i, key] of keysOf(command).entries()) {
    const place = command.places[i] as number
    const keys = keysByPlace.get(place)
    if (keys === undefined) keysByPlace.set(place, [key])
    else keys.push(key)
  }
  return [...keysByPlace].map(([place, keys], i) => ({ place, args: read(keys, i === 0) }))
}

/** One read for each distinct key: between two reads of one key it might change. */
function readsByKey(command: SeveralKeys, read: (key: string) => string[]): PlaceRead[] {
  const placeByKey = new Map(keysOf(command).map((key, i) => [key, command.places[i] as number]))
  return [...placeByKey].map(([key, place]) => ({ place, args: read(key) }))
}

/** The first error as it is; otherwise what `make` makes of all replies as `read` reads them. */
function finishWith<Read>(
  read: (frame: Buffer) => Read | undefined,
  make: (values: readonly Read[]) => Buffer | undefined,
): Finish {
  return (replies) => {
    const error = replies.find(isError)
    if (error !== undefined) return error
    const values: Read[] = []
    for (const reply of replies) {
      const value = read(reply)
      if (value === undefined) return undefined
      values.push(value)
    }
    return make(values)
  }
}
