/**
 * The admin endpoint: pages over HTTP for probes, Prometheus and people, and two orders that only this machine
 * may give. No peer can do harm with it: few connections, one request on each, little time, small answers.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream'
import type { ListenAddress } from '../config/config.ts'
import { listenAt } from '../io/listen.ts'
import { ADMIN_HEADER_BYTES_MAX, ADMIN_REQUEST_MS } from '../limits.ts'
import { type Answer, text } from './answer.ts'
import { AdminConnections } from './connections.ts'
import { dashboardPages } from './dashboard-files.ts'
import { EventStreams } from './event-streams.ts'
import { isForeignPage, mayRead } from './host-check.ts'
import { stateText } from './pages/readiness.ts'
import type { Site } from './site.ts'
import { steeringAnswer } from './steering.ts'

const HEADERS = {
  // Each connection carries one request, so that no client holds one of the few for later.
  connection: 'close',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

export class AdminServer {
  /** A host may stand for several addresses, so there may be more than one. */
  readonly addresses: readonly (AddressInfo | string)[]
  readonly #servers: readonly Server[]
  readonly #site: Site
  readonly #streams: EventStreams

  private constructor(servers: readonly Server[], site: Site, streams: EventStreams) {
    this.#servers = servers
    this.#site = site
    this.#streams = streams
    this.addresses = servers.map((server) => server.address() as AddressInfo | string)
  }

  /** Starts to serve at `address`, and closes the site if that fails. Throws EADDRINUSE. */
  static async listen(address: ListenAddress, site: Site): Promise<AdminServer> {
    const streams = new EventStreams((tell) => site.newestStats(tell))
    const sources = { site, streams, dashboard: dashboardPages() }
    const listenHost = 'host' in address ? address.host : undefined
    const connections = new AdminConnections((socket) => streams.has(socket))
    const makeServer = (): Server => {
      const server = httpServer((request) => answerTo(request, listenHost, sources))
      connections.watch(server)
      return server
    }
    try {
      // A connection that cannot be accepted (no descriptor is left) must not end the process.
      const servers = await listenAt(address, { all: [address], makeServer, onError: () => {} })
      return new AdminServer(servers, site, streams)
    } catch (error) {
      site.close()
      throw error
    }
  }

  /** Tells the listeners of /events that a shard is up or down. */
  shardChanged(name: string, up: boolean): void {
    this.#streams.tell('shard', { name, state: stateText(up), at: new Date().toISOString() })
  }

  /** Tells the listeners of /events about a reload. `ok`: the new configuration is in use. */
  reloaded(ok: boolean): void {
    this.#streams.tell('reload', { ok, at: new Date().toISOString() })
  }

  /** Stops serving; connections are closed as they are. */
  async close(): Promise<void> {
    this.#site.close()
    await Promise.all(
      this.#servers.map((server) => {
        return new Promise<void>((resolve) => {
          server.close(() => resolve())
          server.closeAllConnections()
        })
      }),
    )
  }
}

/**
 * `node:http` is fetched and not imported: an import reads every name of the module, and some of them
 * load Node's own `fetch` and WebSocket, 10 MB that nobody here asks for.
 */
function httpServer(answerTo: (request: IncomingMessage) => Answer | Promise<Answer>): Server {
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer(
    {
      maxHeaderSize: ADMIN_HEADER_BYTES_MAX,
      headersTimeout: ADMIN_REQUEST_MS,
      requestTimeout: ADMIN_REQUEST_MS,
      connectionsCheckingInterval: ADMIN_REQUEST_MS / 5,
      // Every browser sends `Host`; the probes of many load balancers do not.
      requireHostHeader: false,
    },
    (request, response) => {
      const answer = answerTo(request)
      if (answer instanceof Promise) void answer.then((later) => send(request, response, later))
      else send(request, response, answer)
    },
  )
  // Node answers all that comes in one piece before it looks at the answers: 64 KB are 2600 requests.
  server.maxRequestsPerSocket = 1
  // Holds for a client that does not read its answer, too.
  server.setTimeout(ADMIN_REQUEST_MS)
  return server
}

/** These pages tell only whether we live and are ready, so a probe may call us by any name. */
const PROBED: ReadonlySet<string> = new Set(['/livez', '/readyz'])

const UNKNOWN_HOST =
  'not by this name: ask for an address, localhost, a name without dots, or one in adminHosts\n'

interface Sources {
  readonly site: Site
  readonly streams: EventStreams
  readonly dashboard: ReadonlyMap<string, Answer>
}

function answerTo(
  request: IncomingMessage,
  listenHost: string | undefined,
  { site, ...others }: Sources,
): Answer | Promise<Answer> {
  const { method, url = '', headers } = request
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const names = [...(listenHost === undefined ? [] : [listenHost]), ...site.hosts]
  const isReader = mayRead(headers.host, names)
  if (!isReader && !PROBED.has(path)) return text(403, UNKNOWN_HOST)
  if (isForeignPage(headers)) return text(403, 'not for other web pages\n')
  const onUnixSocket = listenHost === undefined
  const steered = steeringAnswer({ path, request, names, onUnixSocket, steering: site.steering })
  if (steered !== undefined) return steered
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD\n'), allow: 'GET, HEAD' }
  }
  const query = mark === -1 || !isReader ? '' : url.slice(mark + 1)
  const wantsHtml = headers.accept?.includes('text/html') ?? false
  const wantsText = headers.accept?.startsWith('text/plain') ?? false
  return (
    site.page(path, { ...others, query, wantsHtml, wantsText }) ??
    others.dashboard.get(path) ??
    text(404, 'no such page; / lists them\n')
  )
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, type, body, policy, stream, allow, afterwards } = answer
  if (afterwards !== undefined) finished(response, afterwards)
  response.writeHead(status, {
    ...HEADERS,
    ...(allow === undefined ? {} : { allow }),
    ...(policy === undefined ? {} : { 'content-security-policy': policy }),
    ...(stream === undefined ? { 'content-length': Buffer.byteLength(body) } : {}),
    'content-type': type,
    // What / answers depends on it.
    vary: 'accept',
  })
  if (request.method === 'HEAD') response.end()
  else if (stream === undefined) response.end(body)
  else stream(response)
}
