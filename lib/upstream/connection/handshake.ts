/**
 * What a fresh shard connection says before any client's request goes over it, and how the answers
 * are judged. It always ends with a PING: a shard that is full sends `-ERR max number of clients
 * reached` unasked and closes, and that line must not pass for the reply to a client's request.
 */
import { errorText } from '../../errors.ts'
import { requestFrame } from '../../resp/encode.ts'

export interface HandshakeOptions {
  readonly protocol: 2 | 3
  readonly database: number
  readonly username: string | undefined
  readonly password: string | undefined
  /** Ask for the number by which the shard knows the connection (for CLIENT UNBLOCK). */
  readonly clientId: boolean
}

export interface Handshake {
  readonly request: Buffer
  /** Replies to expect. */
  readonly replies: number
}

export function handshake(options: HandshakeOptions): Handshake {
  const { protocol, database, username, password } = options
  const steps: string[][] = []
  if (protocol === 3) steps.push(['HELLO', '3'])
  if (password !== undefined) {
    const user = username === undefined ? [] : [utf8(username)]
    const credentials = [...user, utf8(password)]
    if (protocol === 3) steps[0] = ['HELLO', '3', 'AUTH', user[0] ?? 'default', utf8(password)]
    else steps.push(['AUTH', ...credentials])
  }
  if (database !== 0) steps.push(['SELECT', String(database)])
  if (options.clientId) steps.push(['CLIENT', 'ID'])
  steps.push(['PING'])
  return { request: Buffer.concat(steps.map((step) => requestFrame(step))), replies: steps.length }
}

/**
 * Errors that a working shard may give to the PING: it will say so to each client by itself, and
 * with a full disk (MISCONF) it still answers reads.
 */
const WORKING = /^-(LOADING|BUSY|MASTERDOWN|MISCONF|NOPERM)\b/

/**
 * Judges one reply of the handshake: undefined when it is good, else the reason, safe for a log.
 * `last` marks the PING's.
 */
export function rejection(reply: Buffer, last: boolean): string | undefined {
  const text = reply.toString('latin1', 0, Math.min(reply.length, 256))
  if (text.startsWith('-'))
    return last && WORKING.test(text) ? undefined : errorText(text.slice(1).trimEnd())
  if (last && text !== '+PONG\r\n') return 'unexpected reply to PING'
  return undefined
}

/** Requests are built from latin-1 text; credentials are UTF-8 on the wire, as redis-cli sends them. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
