/**
 * POST /reload and POST /drain: the only requests that change anything. They are for whoever may send
 * the process a signal, so the peer must be on this machine; and no web page that somebody on this
 * machine looks at may send them for him.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Answer, json, text } from './answer.ts'
import { mayOrder } from './host-check.ts'

/** What the process does when it is told to. Without one, nobody is obeyed. */
export interface Steering {
  /** Reads the configuration again, as on SIGHUP. Throws nothing. */
  reload(): ReloadOutcome
  /** Begins to stop, as on SIGTERM; once it has begun, more of it changes nothing. */
  drain(): void
}

export type ReloadOutcome =
  /** In use from now on: what is different, by field of the configuration; perhaps nothing. */
  | { readonly changed: readonly string[]; readonly afterRestart: readonly string[] }
  /** Refused as a whole, a line for each mistake; the one in use stays. */
  | { readonly problems: readonly string[] }
  | 'draining'

const EMBEDDED =
  'this ambassador is part of another program, which alone can reload or stop it (steerBy)\n'

/** By path. A Map, since paths come from outside. */
const ORDERS: ReadonlyMap<string, (steering: Steering) => Answer> = new Map([
  ['/reload', reload],
  ['/drain', drain],
])

export interface Order {
  readonly path: string
  readonly request: IncomingMessage
  /** By which this endpoint may be called, besides addresses and localhost. */
  readonly names: readonly string[]
  /** A unix socket, to which only this machine connects. */
  readonly onUnixSocket: boolean
  readonly steering: Steering | undefined
}

/** undefined: the path is not one of these. */
export function steeringAnswer({
  path,
  request,
  names,
  onUnixSocket,
  steering,
}: Order): Answer | undefined {
  const order = ORDERS.get(path)
  if (order === undefined) return undefined
  const { method, headers, socket } = request
  if (method !== 'POST') return { ...text(405, 'only POST\n'), allow: 'POST' }
  if (!(onUnixSocket || isLocal(socket)) || isForwarded(headers)) {
    return text(403, 'only from this machine\n')
  }
  if (!mayOrder(headers.host, names)) return text(403, 'only by an address or localhost\n')
  if (isCrossSite(headers)) return text(403, 'not for other web pages\n')
  // What a form sends: a page can do that to any address without being asked for permission.
  const { 'content-type': type } = headers
  if (type !== undefined && !/^application\/json(?:;|$)/i.test(type)) {
    return text(415, 'no body is needed; if there is one, application/json\n')
  }
  return steering === undefined ? text(501, EMBEDDED) : order(steering)
}

/**
 * Whether a peer on this machine has connected to its loopback. The peer's address alone says less: the
 * proxies of a service mesh bring in strangers from 127.0.0.6, to the address that those asked for.
 */
export function isLocal({ remoteAddress, localAddress }: Ends): boolean {
  return isLoopback(remoteAddress) && isLoopback(localAddress)
}

interface Ends {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
}

/** Whether a proxy has brought the request, for somebody of whom we know nothing. */
function isForwarded(headers: IncomingHttpHeaders): boolean {
  return FORWARDED.some((name) => headers[name] !== undefined)
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']

/**
 * Whether this is the address of a peer on this machine. There is none (getpeername fails) as soon as
 * the peer has reset the connection, which anybody can do right after a request: then it is not.
 */
function isLoopback(remoteAddress: string | undefined): boolean {
  if (remoteAddress === undefined) return false
  if (remoteAddress === '::1') return true
  return /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(remoteAddress)
}

/** Browsers say where a POST comes from; curl and probes say nothing. */
export function isCrossSite({
  host = '',
  origin,
  'sec-fetch-site': site,
}: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin') return true
  return origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`
}

function reload(steering: Steering): Answer {
  const outcome = steering.reload()
  if (outcome === 'draining') return text(409, 'draining\n')
  if ('changed' in outcome) return json(200, outcome)
  return text(422, outcome.problems.map((problem) => `${problem}\n`).join(''))
}

/** Only once the answer is out: with no client there, the end comes at once. */
function drain(steering: Steering): Answer {
  return { ...text(202, 'draining\n'), afterwards: () => steering.drain() }
}
