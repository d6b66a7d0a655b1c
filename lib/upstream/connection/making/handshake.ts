/**
 * What a fresh shard connection says before any client's request goes over it, and how the answers
 * are judged. It always ends with a PING: a shard that is full sends `-ERR max number of clients
 * reached` unasked and closes, and that line must not pass for the reply to a client's request.
 */
import { errorText } from '../../../errors.ts'
import { requestFrame } from '../../../resp/encode.ts'
import { isRefusal } from '../../../resp/refusal.ts'
import type { Credentials, LaneSettings } from '../../lane.ts'

export interface HandshakeOptions {
  readonly protocol: 2 | 3
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  /**
   * Ask for the number by which the shard knows the connection. CLIENT UNBLOCK needs it and nothing
   * else does: a shard may refuse it.
   */
  readonly clientId: boolean
  /**
   * Say that we understand REDIRECT, with which a Valkey answers that is no master any more, to reads as
   * well, instead of serving what is old. Others do not know the word, and may refuse it.
   */
  readonly redirect: boolean
  /** Say that we only read: a replica in a cluster serves nobody else. */
  readonly readOnly?: boolean | undefined
}

export interface Handshake {
  readonly request: Buffer
  /** Replies to expect. */
  readonly replies: number
  /** Which of them, counted from 0, answers CLIENT ID; -1: none. */
  readonly clientIdAt: number
  /** Which of them answers CLIENT CAPA; -1: none. */
  readonly redirectAt: number
}

export function handshake(options: HandshakeOptions): Handshake {
  const { protocol, database, username, password } = options
  const steps: string[][] = []
  if (protocol === 3) steps.push(['HELLO', '3'])
  if (password !== undefined) {
    const user = username === undefined ? 'default' : utf8(username)
    if (protocol === 3) steps[0] = ['HELLO', '3', 'AUTH', user, utf8(password)]
    else steps.push(authStep({ username, password }))
  }
  if (database !== 0) steps.push(['SELECT', String(database)])
  if (options.readOnly) steps.push(['READONLY'])
  const redirectAt = options.redirect ? steps.length : -1
  if (options.redirect) steps.push(['CLIENT', 'CAPA', 'redirect'])
  const clientIdAt = options.clientId ? steps.length : -1
  if (options.clientId) steps.push(['CLIENT', 'ID'])
  steps.push(['PING'])
  const request = Buffer.concat(steps.map((step) => requestFrame(step)))
  return { request, replies: steps.length, clientIdAt, redirectAt }
}

/** AUTH, for a connection that there is. */
export function loginRequest(credentials: Credentials): Buffer {
  return requestFrame(authStep(credentials))
}

const FENCE_TEXT = 'ambassador:login'

/** Follows an AUTH that stands in line with requests: by its answer it is seen that the AUTH had none. */
export const FENCE = requestFrame(['PING', FENCE_TEXT])

/** Whether the reply is to FENCE: its text, or the refusal of a PING. */
export function answersFence(reply: Buffer): boolean {
  const text = errorLine(reply)
  return text.startsWith('-')
    ? isRefusal(reply, 0) && /'ping'/i.test(text)
    : text.includes(FENCE_TEXT)
}

function authStep({ username, password }: Credentials): string[] {
  return ['AUTH', ...(username === undefined ? [] : [utf8(username)]), utf8(password)]
}

/** What takes a connection from the state of one lane to that of another, step by step. */
export function change(from: LaneSettings, to: LaneSettings): string[][] {
  const { protocol, database, credentials } = to
  const steps: string[][] = []
  if (credentials !== undefined && credentials !== from.credentials) {
    steps.push(authStep(credentials))
  }
  if (protocol !== from.protocol) steps.push(['HELLO', String(protocol)])
  if (database !== from.database) steps.push(['SELECT', String(database)])
  return steps
}

const REDIRECT = Buffer.from('-REDIRECT ')

/**
 * The answer of a former master to a connection that has said that it understands redirects. Clients have
 * not said so, and must not follow it past us.
 */
export function isRedirect(bytes: Buffer, start: number, end: number): boolean {
  return bytes.subarray(start, Math.min(end, start + REDIRECT.length)).equals(REDIRECT)
}

/**
 * Errors that a working shard may give to the PING: it will say so to each client by itself, and
 * with a full disk (MISCONF) it still answers reads. A refusal is no worse an answer: nobody needs PONG.
 */
const WORKING = /^-(LOADING|BUSY|MASTERDOWN|MISCONF)\b/

/** What a shard answers to everything while it is in such a state. */
const NOT_SERVING = /^-(LOADING|MASTERDOWN|BUSY)\b/

/** Undefined unless the reply, to PING, says that the shard refuses everything; then its words, safe for a log. */
export function notServing(reply: Buffer): string | undefined {
  const text = errorLine(reply)
  return NOT_SERVING.test(text) ? errorText(text.slice(1).trimEnd()) : undefined
}

/**
 * Judges one reply of the handshake: undefined when it is good, else the reason, safe for a log.
 * `last` marks the PING's.
 */
export function rejection(reply: Buffer, last: boolean): string | undefined {
  const text = errorLine(reply)
  if (text.startsWith('-')) {
    const works = last && (WORKING.test(text) || isRefusal(reply, 0))
    return works ? undefined : errorText(text.slice(1).trimEnd())
  }
  if (last && text !== '+PONG\r\n') return 'unexpected reply to PING'
  return undefined
}

function errorLine(reply: Buffer): string {
  return reply.toString('latin1', 0, Math.min(reply.length, 256))
}

/** Requests are built from latin-1 text; credentials are UTF-8 on the wire, as redis-cli sends them. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
