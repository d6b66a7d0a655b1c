/**
 * Errors by which a cluster's node says that it has executed nothing, and what to do about each. Pure: this
 * file judges a line, and others act on it. Clients never see these lines.
 */

/**
 * - `moved`: another node owns the slot, from now on.
 * - `ask`: this one request goes to another node, behind ASKING; the slot stays.
 * - `later`: the slot or the node is not ready; try again after a while.
 */
export type RefusalKind = 'moved' | 'ask' | 'later'

export interface RefusalLine {
  readonly kind: RefusalKind
  /** Its first word. */
  readonly code: string
  /** The slot of a redirect; -1: no valid slot. */
  readonly slot: number
  /**
   * The host of a redirect: empty for the host that was asked, `?` where the node does not know it.
   */
  readonly host: string
  /** The port of a redirect; 0: no valid port. */
  readonly port: number
}

const SLOT_MAX = 16_383
const PORT_MAX = 65_535

/** Longer than any of these lines: a host name has 253 characters at most. */
const LINE_BYTES_MAX = 512

const LATER = new Set(['TRYAGAIN', 'CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'READONLY'])

/**
 * The error of a master that has become a replica. CLIENT UNBLOCK has other words behind the same
 * code.
 */
const FORCED = /^-UNBLOCKED force /

const FIRST_WORD = /^-([A-Z]+)(?: |\r)/

/** The host of an IPv6 address is bare: the last colon ends it. */
const REDIRECT = /^-(?:MOVED|ASK) (\d{1,5}) (.*):(\d{1,5})\r\n$/

/** Undefined for any other error, which is the node's answer to the request. `bytes[start]` is a `-`. */
export function refusalIn(bytes: Buffer, start: number, end: number): RefusalLine | undefined {
  const text = bytes.toString('latin1', start, Math.min(end, start + LINE_BYTES_MAX))
  const code = FIRST_WORD.exec(text)?.[1] ?? ''
  if (LATER.has(code) || FORCED.test(text))
    return { kind: 'later', code, slot: -1, host: '', port: 0 }
  if (code !== 'MOVED' && code !== 'ASK') return undefined
  const kind = code === 'MOVED' ? 'moved' : 'ask'
  const [, slotText, host = '?', portText] = REDIRECT.exec(text) ?? []
  const slot = Number(slotText)
  const port = Number(portText)
  const isGood = slot <= SLOT_MAX && port >= 1 && port <= PORT_MAX
  return isGood ? { kind, code, slot, host, port } : { kind, code, slot: -1, host: '?', port: 0 }
}
