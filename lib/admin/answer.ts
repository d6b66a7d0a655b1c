/** An answer of the admin endpoint, and how the usual ones are made. */
import type { ServerResponse } from 'node:http'

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  /** What a browser may do with it, as a Content-Security-Policy; default: nothing. */
  readonly policy?: string
  /** Goes on where the head ends, instead of `body`. */
  readonly stream?: (response: ServerResponse) => void
  /** With status 405: the methods that the path takes. */
  readonly allow?: string
  /** Called once when the answer is out, or its reader is gone. */
  readonly afterwards?: () => void
}

export function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body }
}

export function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` }
}
