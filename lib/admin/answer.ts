/** An answer of the admin endpoint, and how the usual ones are made. */

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  /** With 405: the methods there are. */
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
