/**
 * The only file that imports `ioredis`: ordinary client connections for everything beside the data
 * path, such as tools and questions to shards about themselves. Never for an app's commands: each
 * costs 9 µs of CPU, against 1 µs.
 *
 * Traps (ioredis 6.0.0):
 * - it reconnects for ever, and commands wait for it: a tool must learn that the server is gone,
 *   hence no `retryStrategy`;
 * - an `error` event nobody listens to is printed to stderr; the failed command tells it anyway;
 * - it sends `HELLO 3` first and goes on with RESP2 when that is refused; with `protocol: 2` it
 *   sends nothing;
 * - it sends CLIENT SETINFO, unless told not to by `disableClientInfo`;
 * - it sends INFO and is not ready before that is answered; an error there ends the connection;
 *   hence `enableReadyCheck: false` where a user may have no right to INFO;
 * - commands have no deadline unless there is a `commandTimeout`;
 * - integers past 2^53 lose their last digits without `stringNumbers`;
 * - what a server sends unasked can end the process, and what it sends has no bound: see reply-gate.ts.
 */
import type { ConnectionOptions } from 'node:tls'
import { Redis } from 'ioredis'
import { CONTROL_LINE_BYTES_MAX } from '../limits.ts'
import { ASTERISK } from '../resp/bytes.ts'
import { requestFrame } from '../resp/encode.ts'
import { timerMs } from '../timer.ts'
import { ReplyGate } from './reply-gate.ts'

export type RedisClient = Redis

export type RedisAddress =
  | { readonly host: string; readonly port: number; readonly tls?: ConnectionOptions }
  | { readonly path: string }

export interface ControlOptions {
  readonly username: string | undefined
  readonly password: string | undefined
  /** For connecting, and again for each command. */
  readonly timeoutMs: number
}

/** Replies, arrays of any size, that the caller reads itself: to decode a long one at once would stop all else. */
export interface RawReplies {
  /** The command's words, in lower case. */
  readonly to: string
  readonly take: (frame: Buffer) => void
}

/** Connects at once; commands issued before that wait, and reject when it fails. */
export function openRedis(address: RedisAddress): RedisClient {
  return quiet(new Redis({ ...address, retryStrategy: () => null, stringNumbers: true }))
}

/**
 * As `openRedis`, but in RESP2, and nothing goes over the wire except AUTH and the caller's commands. A command
 * whose reply is one of `raw` resolves with a word that means nothing.
 */
export function openControl(
  address: RedisAddress,
  options: ControlOptions,
  raw?: RawReplies,
): RedisClient {
  return openGated(address, options, false, raw)
}

function openGated(
  address: RedisAddress,
  options: ControlOptions,
  messages: boolean,
  raw?: RawReplies,
): RedisClient {
  const { username, password, timeoutMs } = options
  const client = new Redis({
    ...address,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
    stringNumbers: true,
  })
  // ioredis has begun to listen to the socket by now, and the socket has read nothing yet.
  client.once('connect', () => gate(client, messages, raw))
  return quiet(client)
}

/** As `openControl`, for SUBSCRIBE: messages to patterns come as the event `pmessage`. */
export function openListener(address: RedisAddress, options: ControlOptions): RedisClient {
  return openGated(address, options, true)
}

/** Lets the decoder see nothing but replies that can do no harm. */
function gate(client: Redis, messages: boolean, raw: RawReplies | undefined): void {
  const { stream } = client
  const decoders = stream.listeners('data')
  stream.removeAllListeners('data')
  const gate = new ReplyGate({
    messages,
    owed: () => client.commandQueue.length,
    take: (frame) => {
      if (raw === undefined || frame[0] !== ASTERISK) return false
      const { name, args } = client.commandQueue.peekFront()?.command ?? { name: '', args: [] }
      if ([name, ...args].join(' ').toLowerCase() !== raw.to) return false
      raw.take(frame)
      return true
    },
    pass: (frame) => {
      for (const decode of decoders) decode.call(stream, frame)
    },
    refuse: (error) => client.recoverFromFatalError(error, error, { offlineQueue: false }),
  })
  stream.on('data', (chunk: Buffer) => gate.take(chunk))
}

/**
 * Asks a last question past ioredis, which may throw over the answer (SUBSCRIBE). Gives the first line
 * of the reply, in latin-1 and without its end, or what there is of it when there is no more in time.
 * Nothing can be asked through the client afterwards.
 */
export function lastLine(
  { stream }: RedisClient,
  words: readonly string[],
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const done = (): void => {
      clearTimeout(timer)
      resolve(text)
    }
    const timer = setTimeout(done, timerMs(timeoutMs))
    stream.removeAllListeners('data')
    stream.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString('latin1')}`.slice(0, CONTROL_LINE_BYTES_MAX)
      const end = text.indexOf('\r\n')
      if (end < 0 && text.length < CONTROL_LINE_BYTES_MAX) return
      text = end < 0 ? text : text.slice(0, end)
      stream.removeAllListeners('data')
      done()
    })
    stream.once('close', done)
    stream.write(requestFrame(words))
  })
}

function quiet(client: Redis): Redis {
  client.on('error', () => {})
  return client
}
