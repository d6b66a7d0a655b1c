/** Merges the shards' replies about scripts. Pure: complete frames in, one frame out. */
import { arrayHeader, integerFrame } from '../../resp/encode.ts'
import { ElementReader, integerOf, isError } from '../../resp/reply-reader.ts'

/**
 * SCRIPT EXISTS: script i exists when all shards have it, or else when `isThere(i, some)` says so;
 * `some`: at least one shard has it. The first error wins.
 */
export function mergeExists(
  replies: readonly Buffer[],
  isThere: (script: number, some: boolean) => boolean,
): Buffer | undefined {
  const error = replies.find(isError)
  if (error !== undefined) return error
  const lists = replies.map((reply) => new ElementReader(reply).rest())
  const [first = []] = lists
  if (lists.some((list) => list.length !== first.length)) return undefined
  const merged = first.map((_, script) => {
    const has = lists.map((list) => integerOf(list[script] as Buffer) === 1n)
    const there = !has.includes(false) || isThere(script, has.includes(true))
    return integerFrame(there ? 1 : 0)
  })
  return Buffer.concat([arrayHeader(merged.length), ...merged])
}

/**
 * SCRIPT KILL and FUNCTION KILL: OK if one shard says OK. Otherwise an error other than "nothing
 * runs" wins.
 */
export function mergeKill(replies: readonly Buffer[]): Buffer | undefined {
  const killed = replies.find((reply) => !isError(reply))
  return killed ?? replies.find((reply) => !startsWith(reply, '-NOTBUSY')) ?? replies[0]
}

function startsWith(frame: Buffer, text: string): boolean {
  return frame.toString('latin1', 0, text.length) === text
}
