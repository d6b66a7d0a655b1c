/**
 * The admin endpoint: pages over HTTP for probes, Prometheus and people, and two orders for whoever is
 * on this machine. It must stay harmless whoever connects: few connections, one request on each, little time, small answers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream'
import type { ListenAddress } from '../config/config.ts'
import { removeStaleSocket, SOCKET_MODE, withSocketMode } from '../io/unix-socket.ts'
import { ADMIN_CONNECTIONS_MAX, ADMIN_HEADER_BYTES_MAX, ADMIN_REQUEST_MS } from '../limits.ts'
import { type Answer, text } from './answer.ts'
import { isTrustedHost } from './host-check.ts'
import { PAGES } from './pages.ts'
import { ProcessWatch } from './process-figures.ts'
import type { Snapshot } from './snapshot.ts'
import { type Steering, steeringAnswer } from './steering.ts'

const HEADERS = {
  // One request is one connection: nobody holds one of the few for later.
  connection: 'close',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

export class AdminServer {
  readonly address: AddressInfo | string
  readonly #server: Server
  readonly #processWatch: ProcessWatch

  private constructor(server: Server, processWatch: ProcessWatch) {
    this.#server = server
    this.#processWatch = processWatch
    this.address = server.address() as AddressInfo | string
  }

  /**
   * Starts to serve at `address`; `snapshot` and `steering` are called for each request. Throws
   * EADDRINUSE.
   */
  static async listen(
    address: ListenAddress,
    snapshot: () => Snapshot,
    steering: () => Steering | undefined,
  ): Promise<AdminServer> {
    const processWatch = new ProcessWatch()
    const listenHost = 'host' in address ? address.host : undefined
    const server = createServer(
      {
        maxHeaderSize: ADMIN_HEADER_BYTES_MAX,
        headersTimeout: ADMIN_REQUEST_MS,
        requestTimeout: ADMIN_REQUEST_MS,
        connectionsCheckingInterval: ADMIN_REQUEST_MS / 5,
        // Without `Host` no browser asks, but many a load balancer's probe.
        requireHostHeader: false,
      },
      (request, response) => {
        const answered = answerTo(request, listenHost, { snapshot, steering, processWatch })
        send(request, response, answered)
      },
    )
    server.maxConnections = ADMIN_CONNECTIONS_MAX
    // Also for a client that reads none of its answer.
    server.setTimeout(ADMIN_REQUEST_MS)
    try {
      await listening(server, address)
    } catch (error) {
      processWatch.stop()
      throw error
    }
    return new AdminServer(server, processWatch)
  }

  /** Stops serving; connections are closed as they are. */
  async close(): Promise<void> {
    this.#processWatch.stop()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

async function listening(server: Server, address: ListenAddress): Promise<void> {
  if ('path' in address) await removeStaleSocket(address.path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      // A connection that cannot be accepted (no descriptor is left) must not end the process.
      server.on('error', () => {})
      resolve()
    })
    if ('path' in address) {
      const { path, mode = SOCKET_MODE } = address
      withSocketMode(mode, () => server.listen(path))
    } else {
      server.listen(address.port, address.host)
    }
  })
}

interface Sources {
  readonly snapshot: () => Snapshot
  readonly steering: () => Steering | undefined
  readonly processWatch: ProcessWatch
}

function answerTo(
  request: IncomingMessage,
  listenHost: string | undefined,
  { snapshot, steering, processWatch }: Sources,
): Answer {
  const { method, url = '', headers } = request
  if (!isTrustedHost(headers.host, listenHost)) {
    return text(403, 'ask for localhost, an IP address, or the name in adminListen\n')
  }
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const onUnixSocket = listenHost === undefined
  const steered = steeringAnswer({ path, request, onUnixSocket, steering: steering() })
  if (steered !== undefined) return steered
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD\n'), allow: 'GET, HEAD' }
  }
  const page = PAGES.get(path)
  if (page === undefined) return text(404, 'no such page; / lists them\n')
  return page({ snapshot: snapshot(), query: mark === -1 ? '' : url.slice(mark + 1), processWatch })
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, type, body, allow, afterwards } = answer
  if (afterwards !== undefined) finished(response, afterwards)
  response.writeHead(status, {
    ...HEADERS,
    ...(allow === undefined ? {} : { allow }),
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
