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

/**
 * Names and counts in turn: the counts are added up place by place (NUMSUB), since every shard
 * names the channels that were asked for in the same order. `correction` is added to the count of
 * the channel with that number. The first error wins.
 */
export function mergeCounts(
  replies: readonly Buffer[],
  correction: (channel: number) => number,
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
    const sum = sumAt(lists, place)
    if (sum === undefined) return undefined
    merged.push(integerFrame(sum + BigInt(correction(place >> 1))))
  }
  return Buffer.concat(merged)
}

function sumAt(lists: readonly (readonly Buffer[])[], place: number): bigint | undefined {
  let sum = 0n
  for (const list of lists) {
    const count = integerOf(list[place] as Buffer)
    if (count === undefined) return undefined
    sum += count
  }
  return sum
}
