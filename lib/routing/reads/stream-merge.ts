/** Makes one reply to XREAD out of the replies of several shards, streams in the client's order. */
import { bulkFrame, nullArrayFrame } from '../../resp/encode.ts'
import { ElementReader, isError } from '../../resp/reply-reader.ts'

/** A stream that was asked for, and which of the replies it is in if it has entries. */
export interface ReadStream {
  readonly key: string
  readonly reply: number
}

/**
 * Each reply has its streams in the client's order, those without entries left out, and none twice.
 * RESP2: an array of pairs; RESP3: a map. The first error wins.
 */
export function mergeStreams(
  replies: readonly Buffer[],
  streams: readonly ReadStream[],
  protocol: 2 | 3,
): Buffer {
  const error = replies.find(isError)
  if (error !== undefined) return error
  const queues = replies.map((reply) => streamsOf(reply, protocol).reverse())
  const parts: Buffer[] = []
  for (const { key, reply } of streams) {
    const queue = queues[reply] as Stream[]
    if (!queue.at(-1)?.name.equals(bulkFrame(Buffer.from(key, 'latin1')))) continue
    parts.push((queue.pop() as Stream).frame)
  }
  if (parts.length === 0) return nullArrayFrame(protocol)
  const header = Buffer.from(`${protocol === 3 ? '%' : '*'}${parts.length}\r\n`, 'latin1')
  return Buffer.concat([header, ...parts])
}

interface Stream {
  /** The key's frame. */
  readonly name: Buffer
  /** Key and entries as they stand in the reply. */
  readonly frame: Buffer
}

/** None for both nulls. */
function streamsOf(reply: Buffer, protocol: 2 | 3): Stream[] {
  const elements = new ElementReader(reply).rest()
  if (protocol === 2) return elements.map((pair) => ({ name: keyOf(pair), frame: pair }))
  const streams: Stream[] = []
  for (let i = 0; i + 1 < elements.length; i += 2) {
    const name = elements[i] as Buffer
    streams.push({ name, frame: Buffer.concat([name, elements[i + 1] as Buffer]) })
  }
  return streams
}

function keyOf(pair: Buffer): Buffer {
  const reader = new ElementReader(pair)
  reader.next()
  return pair.subarray(reader.start, reader.end)
}
