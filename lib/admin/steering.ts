/**
 * POST /reload and POST /drain: the only requests that change anything. They do what a signal does, so the
 * peer must be on this machine. A web page that is open on this machine must not be able to send them either.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Changes } from '../config/changes.ts'
import { type Answer, json, text } from './answer.ts'
import { mayOrder } from './host-check.ts'

/** What POST /reload and POST /drain make the process do. */
export interface Steering {
  /** Reads the configuration again, as on SIGHUP. Throws and rejects with nothing. */
  reload(): ReloadOutcome | Promise<ReloadOutcome>
  /** Begins to stop, as on SIGTERM. A second call changes nothing. */
  drain(): void
}

/** What became of a reload. */
export type ReloadOutcome =
  /** The new configuration is in use. */
  | Changes
  /** The new configuration is refused as a whole, with a line for each mistake; the old one stays in use. */
  | { readonly problems: readonly string[] }
  | 'draining'

const EMBEDDED =
  'this ambassador is part of another program, which alone can reload or stop it (steerBy)\n'

/** By path. A Map rather than an object, because paths come from outside: `__proto__`. */
const ORDERS: ReadonlyMap<string, (steering: Steering) => Answer | Promise<Answer>> = new Map<
  string,
  (steering: Steering) => Answer | Promise<Answer>
>([
  ['/reload', reload],
  ['/drain', drain],
])

export interface Order {
  readonly path: string
  readonly request: IncomingMessage
  /** The names by which this endpoint may be asked, besides addresses and localhost. */
  readonly names: readonly string[]
  /** The request came over a unix socket, so its sender is on this machine. */
  readonly onUnixSocket: boolean
  readonly steering: Steering | undefined
}

/** Undefined when the path is neither of the two. */
export function steeringAnswer({
  path,
  request,
  names,
  onUnixSocket,
  steering,
}: Order): Answer | Promise<Answer> | undefined {
  const order = ORDERS.get(path)
  if (order === undefined) return undefined
  const { method, headers, socket } = request
  if (method !== 'POST') return { ...text(405, 'only POST\n'), allow: 'POST' }
  if (!(onUnixSocket || isLocal(socket)) || isForwarded(headers)) {
    return text(403, 'only from this machine\n')
  }
  if (!mayOrder(headers.host, names)) return text(403, 'only by an address or localhost\n')
  if (isCrossSite(headers)) return text(403, 'not for other web pages\n')
  // A page can send a form to any address without permission, but JSON only with it.
  const { 'content-type': type } = headers
  if (type !== undefined && !/^application\/json(?:;|$)/i.test(type)) {
    return text(415, 'no body is needed; if there is one, application/json\n')
  }
  return steering === undefined ? text(501, EMBEDDED) : order(steering)
}

/**
 * Whether a peer on this machine has connected to its loopback. The peer's address alone does not prove it:
 * the proxy of a service mesh brings in strangers from 127.0.0.6, but to an address that is no loopback.
 */
export function isLocal({ remoteAddress, localAddress }: Ends): boolean {
  return isLoopback(remoteAddress) && isLoopback(localAddress)
}

interface Ends {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
}

/** Whether a proxy has brought the request. Its sender is then unknown. */
function isForwarded(headers: IncomingHttpHeaders): boolean {
  return FORWARDED.some((name) => headers[name] !== undefined)
}

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']

/**
 * Whether this is a loopback address. Undefined is not: a peer that resets its connection right after
 * the request has no address any more (getpeername fails), and any peer can do that.
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

function reload(steering: Steering): Answer | Promise<Answer> {
  const outcome = steering.reload()
  return outcome instanceof Promise ? outcome.then(answerOf) : answerOf(outcome)
}

function answerOf(outcome: ReloadOutcome): Answer {
  if (outcome === 'draining') return text(409, 'draining\n')
  if ('changed' in outcome) return json(200, outcome)
  return text(422, outcome.problems.map((problem) => `${problem}\n`).join(''))
}

/** Drains after the answer is out: when no client is connected, the process ends at once. */
function drain(steering: Steering): Answer {
  return { ...text(202, 'draining\n'), afterwards: () => steering.drain() }
}
