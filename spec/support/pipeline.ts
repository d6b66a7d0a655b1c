/** Requests as lines of words, `SET k v`: several in one write, as pipelines send them. */
import { encodeRequest } from './frames.ts'
import type { RawClient } from './raw-client.ts'

export function pipeline(lines: readonly string[]): Buffer {
  return Buffer.concat(lines.map((line) => encodeRequest(...line.split(' '))))
}

/** Sends the lines in one write and gives the replies as latin1 text. */
export async function send(client: RawClient, ...lines: readonly string[]): Promise<string[]> {
  client.write(pipeline(lines))
  return texts(client, lines.length)
}

/** The next `count` replies, as latin1 text. */
export async function texts(client: RawClient, count: number): Promise<string[]> {
  return (await client.replies(count)).map((reply) => reply.toString('latin1'))
}
