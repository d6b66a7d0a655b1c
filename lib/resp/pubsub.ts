/**
 * The frames of pub/sub: tells messages from replies in the stream of a shard, and makes the frames
 * that subscribers get. RESP2 and RESP3 differ in the first byte and in the null.
 */
import { ASTERISK, CR, ZERO } from './bytes.ts'
import { bulkFrame, integerFrame, nullFrame } from './encode.ts'

/**
 * What can be subscribed to. A channel and a sharded channel of the same name are different topics,
 * as in Redis.
 */
export const TOPIC_KINDS = ['channel', 'pattern', 'shardChannel'] as const
export type TopicKind = (typeof TOPIC_KINDS)[number]

/** The commands for each kind, which are also the first words of their confirmations. */
export const TOPIC_COMMANDS = {
  channel: { subscribe: 'subscribe', unsubscribe: 'unsubscribe' },
  pattern: { subscribe: 'psubscribe', unsubscribe: 'punsubscribe' },
  shardChannel: { subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe' },
} as const satisfies Record<TopicKind, { subscribe: string; unsubscribe: string }>

const THREE = 0x33
const FOUR = 0x34
const SEVEN = 0x37
const EIGHT = 0x38

/** Where the first word begins in `*3\r\n$7\r\nmessage\r\n`. */
const WORD_AT = 8

/**
 * The kind of topic whose message the RESP2 frame at `start` brings, or undefined when it is the
 * reply to a command. The header alone tells: `*3 $7 message`, `*4 $8 pmessage`, `*3 $8 smessage`;
 * confirmations have three elements and words of 9 to 12 letters, and PING's answer has two elements.
 */
export function messageKind(bytes: Uint8Array, start: number): TopicKind | undefined {
  if (bytes[start] !== ASTERISK || bytes[start + WORD_AT - 2] !== CR) return undefined
  const count = bytes[start + 1]
  const wordLength = bytes[start + WORD_AT - 3]
  if (count === FOUR && wordLength === EIGHT) return 'pattern'
  if (count !== THREE) return undefined
  if (wordLength === SEVEN) return 'channel'
  return wordLength === EIGHT ? 'shardChannel' : undefined
}

/** How the frame begins that says that a shard channel is not subscribed any more. */
const SUNSUBSCRIBE = '*3\r\n$12\r\nsunsubscribe\r\n$'

/** The shard channel that the whole RESP2 frame at `start` says is subscribed no more; latin-1. */
export function endedShardChannel(bytes: Buffer, start: number): string | undefined {
  const lengthAt = start + SUNSUBSCRIBE.length
  if (bytes.toString('latin1', start, lengthAt) !== SUNSUBSCRIBE) return undefined
  const nameAt = bytes.indexOf('\r\n', lengthAt) + 2
  const length = Number(bytes.toString('latin1', lengthAt, nameAt - 2))
  return length < 0 ? undefined : bytes.toString('latin1', nameAt, nameAt + length)
}

/** The channel or pattern of the message at `start`, verified and complete, in latin-1. */
export function messageTopic(bytes: Buffer, start: number, kind: TopicKind): string {
  // Behind the word, its CRLF and the `$`.
  let at = start + WORD_AT + (kind === 'channel' ? 7 : 8) + 3
  let length = 0
  for (; bytes[at] !== CR; at++) length = 10 * length + (bytes[at] as number) - ZERO
  return bytes.toString('latin1', at + 2, at + 2 + length)
}

/** The channel of a pattern's message, which is all of `frame`, in latin-1. */
export function patternChannel(frame: Buffer, pattern: string): string {
  // Behind `*4`, the word and the pattern, each with its length: three strings stand before the message.
  const text = frame.toString('latin1')
  const end = text.indexOf('\r\n', WORD_AT + 8 + 2) + 2 + pattern.length + 2
  const length = Number(text.slice(end + 1, text.indexOf('\r\n', end)))
  const start = text.indexOf('\r\n', end) + 2
  return text.slice(start, start + length)
}

/** One message in both protocols. Each form is made once for all clients that get it. */
export class Message {
  readonly #resp2: Buffer
  #resp3: Buffer | undefined

  /** Keeps a copy of the RESP2 frame. */
  constructor(frame: Buffer) {
    this.#resp2 = Buffer.from(frame)
  }

  frame(protocol: 2 | 3): Buffer {
    if (protocol === 2) return this.#resp2
    this.#resp3 ??= asPush(this.#resp2)
    return this.#resp3
  }
}

function asPush(frame: Buffer): Buffer {
  const push = Buffer.from(frame)
  push[0] = PUSH
  return push
}

const PUSH = 0x3e
const HEADERS = { 2: Buffer.from('*3\r\n'), 3: Buffer.from('>3\r\n') } as const

/** The answer of (P|S)(UN)SUBSCRIBE for each topic; null: there was nothing to unsubscribe. */
export function confirmation(
  word: string,
  name: Buffer | null,
  count: number,
  protocol: 2 | 3,
): Buffer {
  return Buffer.concat([
    HEADERS[protocol],
    bulkFrame(Buffer.from(word, 'latin1')),
    name === null ? nullFrame(protocol) : bulkFrame(name),
    integerFrame(count),
  ])
}

/** PING's answer to a RESP2 subscriber, which expects a message rather than a bare `+PONG`. */
export function pongMessage(text: Buffer): Buffer {
  return Buffer.concat([PONG_HEADER, bulkFrame(text)])
}

const PONG_HEADER = Buffer.from('*2\r\n$4\r\npong\r\n')
