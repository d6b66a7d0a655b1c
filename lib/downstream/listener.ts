/** Accepts clients on one or more addresses, up to a limit, and knows all that are connected. */
import net from 'node:net'
import { adoptAccepted } from '../io/preallocated-read.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import { ClientWatch } from './client-watch.ts'
import { type RequestHandler, Session } from './session.ts'
import { removeStaleSocket, SOCKET_MODE, withSocketMode } from './unix-socket.ts'

/** Redis's own words. */
const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n'

/** Redis's default `tcp-keepalive`. */
const KEEPALIVE_MS = 300_000

/** Connections that the kernel keeps for us until we accept them; Redis's default. */
const BACKLOG = 511

export type Address =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode: number | undefined }

export interface ListenerOptions {
  /** Says who deals with the requests of a new session. */
  readonly serve: (session: Session) => RequestHandler
  readonly turn: Turn
  /** Asked for each new client. */
  readonly maxClients: () => number
  readonly logger: Logger
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #servers: net.Server[] = []
  readonly #sessions = new Set<Session>()
  readonly #watch: ClientWatch
  #lastId = 0
  #onEmpty: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#watch = new ClientWatch({ clients: this.#sessions, logger: options.logger })
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /**
   * Starts accepting on `address`; returns where, with the port that was taken. A unix socket's file
   * gets `mode`, 0600 unless told otherwise. Throws EADDRINUSE.
   */
  async listen(address: Address): Promise<net.AddressInfo | string> {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    server.on('connection', (socket) => this.#accept(socket))
    if ('path' in address) await removeStaleSocket(address.path)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.once('listening', () => {
        server.off('error', reject)
        resolve()
      })
      if ('path' in address) {
        const { path, mode = SOCKET_MODE } = address
        withSocketMode(mode, () => server.listen({ path, backlog: BACKLOG }))
      } else {
        server.listen({ ...address, backlog: BACKLOG })
      }
    })
    this.#servers.push(server)
    return server.address() as net.AddressInfo | string
  }

  /** Accepts no more clients; those that are connected stay. */
  stopAccepting(): void {
    for (const server of this.#servers) server.close()
  }

  /**
   * Lets every client have the replies it is owed and closes its connection; those that are not
   * done after `timeoutMs` are closed as they are. Resolves when no client is left.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#sessions.size === 0) return
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
    }, timeoutMs)
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
      for (const session of this.#sessions) session.drain()
    })
    clearTimeout(timer)
  }

  #forget(session: Session): void {
    this.#sessions.delete(session)
    if (this.#sessions.size > 0) return
    this.#watch.stop()
    this.#onEmpty?.()
  }

  #accept(accepted: net.Socket): void {
    if (this.#sessions.size >= this.#options.maxClients()) {
      accepted.on('error', () => {})
      accepted.end(TOO_MANY_CLIENTS)
      accepted.resume()
      return
    }
    const { serve, turn } = this.#options
    this.#lastId++
    const session = new Session(this.#lastId, turn)
    const handler = serve(session)
    this.#sessions.add(session)
    this.#watch.start()
    const socket = adoptAccepted(accepted, (buffer, length) => session.onBytes(buffer, length))
    socket.setKeepAlive(true, KEEPALIVE_MS)
    session.start(socket, handler, () => this.#forget(session))
  }
}
