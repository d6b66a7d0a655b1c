/** Merges the shards' replies to PUBSUB commands. Pure: complete frames in, one frame out. */
import { arrayHeader, integerFrame } from '../../resp/encode.ts'
import { ElementReader, integerOf, isError } from '../../resp/reply-reader.ts'

/** Every element once, in the order of first appearance (CHANNELS). The first error wins. */
export function mergeDistinct(replies: readonly Buffer[]): Buffer | undefined {
  const error = replies.find(isError)
  if (error !== undefined) return error
  const distinct = new Map<string, Buffer>()
  for (const reply of replies) {
    const reader = new ElementReader(reply)
    if (reader.count < 0) return undefined
    for (const element of reader.rest()) {
      const text = element.toString('latin1')
      if (!distinct.has(text)) distinct.set(text, element)
    }
  }
  return Buffer.concat([arrayHeader(distinct.size), ...distinct.values()])
}

/** What we know about a channel ourselves. */
export interface OwnCounts {
  /** Our clients that have it. */
  readonly clients: number
  /** For each shard: how many subscribers these are to it. */
  readonly byShard: readonly number[]
}

/**
 * Names and counts in turn (NUMSUB); every shard names the channels in the order of the question.
 * Another ambassador subscribes to a channel on every shard, as we do, so a foreign subscriber that
 * every shard has counts once. `own` has our own counts for the channel of that number. The first
 * error wins.
 */
export function mergeCounts(
  replies: readonly Buffer[],
  own: (channel: number) => OwnCounts,
): Buffer | undefined {
  const error = replies.find(isError)
  if (error !== undefined) return error
  const lists = replies.map((reply) => new ElementReader(reply).rest())
  const [first = []] = lists
  if (lists.some((list) => list.length !== first.length)) return undefined
  const merged: Buffer[] = [arrayHeader(first.length)]
  for (const [place, element] of first.entries()) {
    if (place % 2 === 0) {
      merged.push(element)
      continue
    }
    const { clients, byShard } = own(place >> 1)
    const others = othersAt(lists, place, byShard)
    if (others === undefined) return undefined
    merged.push(integerFrame(others + BigInt(clients)))
  }
  return Buffer.concat(merged)
}

function othersAt(
  lists: readonly (readonly Buffer[])[],
  place: number,
  own: readonly number[],
): bigint | undefined {
  const others: bigint[] = []
  for (const [shard, list] of lists.entries()) {
    const count = integerOf(list[place] as Buffer)
    if (count === undefined) return undefined
    const rest = count - BigInt(own[shard] ?? 0)
    others.push(rest > 0n ? rest : 0n)
  }
  const everywhere = others.reduce((least, each) => (each < least ? each : least))
  return others.reduce((sum, each) => sum + each - everywhere, everywhere)
}
