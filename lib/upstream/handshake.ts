/**
 * What a fresh shard connection says before any client's request goes over it, and how the answers
 * are judged. It always ends with a PING: a shard that is full sends `-ERR max number of clients
 * reached` unasked and closes, and that line must not pass for the reply to a client's request.
 */
import { errorText } from '../errors.ts'
import { requestFrame } from '../resp/encode.ts'

/** The state of a shared connection that commands assume. */
export interface LaneSettings {
  readonly protocol: 2 | 3
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
}

export interface Handshake {
  readonly request: Buffer
  /** Replies to expect. */
  readonly replies: number
}

export function handshake(lane: LaneSettings): Handshake {
  const steps: string[][] = []
  if (lane.protocol === 3) steps.push(['HELLO', '3'])
  if (lane.password !== undefined) {
    const user = lane.username === undefined ? [] : [utf8(lane.username)]
    const credentials = [...user, utf8(lane.password)]
    if (lane.protocol === 3) steps[0] = ['HELLO', '3', 'AUTH', user[0] ?? 'default', utf8(lane.password)]
    else steps.push(['AUTH', ...credentials])
  }
  if (lane.database !== 0) steps.push(['SELECT', String(lane.database)])
  steps.push(['PING'])
  return { request: Buffer.concat(steps.map((step) => requestFrame(step))), replies: steps.length }
}

/** Errors that a working shard may give to the PING: it will say so to each client by itself. */
const WORKING = /^-(LOADING|BUSY|MASTERDOWN|NOPERM)\b/

/**
 * Judges one reply of the handshake: undefined when it is good, else the reason, safe for a log.
 * `last` marks the PING's.
 */
export function rejection(reply: Buffer, last: boolean): string | undefined {
  const text = reply.toString('latin1', 0, Math.min(reply.length, 256))
  if (text.startsWith('-')) return last && WORKING.test(text) ? undefined : errorText(text.slice(1).trimEnd())
  if (last && text !== '+PONG\r\n') return 'unexpected reply to PING'
  return undefined
}

/** Requests are built from latin-1 text; credentials are UTF-8 on the wire, as redis-cli sends them. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
