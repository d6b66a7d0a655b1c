/** Accepts clients on one or more addresses, up to a limit, and knows all that are connected. */
import net from 'node:net'
import { isFamilyMissing } from '../io/doors.ts'
import { listenAt } from '../io/listen.ts'
import { adoptAccepted, type BytesHandler } from '../io/preallocated-read.ts'
import type { Turn } from '../io/turn.ts'
import { CLIENT_KEEPALIVE_MS, LINGER_MS, REFUSALS_MAX } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Stats } from '../stats/stats.ts'
import { timerMs } from '../timer.ts'
import { ClientWatch } from './client-watch.ts'
import { SoleClient } from './flow/sole-client.ts'
import { Room } from './room.ts'
import { type RequestHandler, Session } from './session.ts'
import { type ClientTls, TlsDoor } from './tls-door.ts'

/** Redis's own words. */
const TOO_MANY_CLIENTS = '-ERR max number of clients reached\r\n'

export type Address = (
  | { readonly host: string; readonly port: number; readonly tls?: true }
  | { readonly path: string; readonly mode: number | undefined }
) & {
  /** The pool that its clients use; undefined: all pools. */
  readonly pool?: string
}

/** One of the places for an address that was wanted. */
export interface Listening<Wanted> {
  readonly wanted: Wanted
  readonly actual: net.AddressInfo | string
}

export interface ListenerOptions {
  /** Says who deals with the requests of a new session. `pool`: that of its address. */
  readonly serve: (session: Session, pool: string | undefined) => RequestHandler
  readonly turn: Turn
  readonly stats: Stats
  /** Clients are numbered from the next number on. */
  readonly idsAbove: number
  /** Other processes listen on the same addresses, and somebody else prepares and removes sockets' files. */
  readonly sharesAddresses: boolean
  /** Asked for each new client. */
  readonly maxClients: () => number
  /** Memory for all clients together; asked a few times a second. */
  readonly clientBytesMax: () => number
  readonly logger: Logger
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #servers: net.Server[] = []
  /** Where they listen, as `takenKey` has it. */
  readonly #taken = new Set<string>()
  readonly #soleClient = new SoleClient()
  readonly #sessions = new Set<Session>()
  readonly #watch: ClientWatch
  readonly #room: Room
  /** One for each pool that has an address, since a door does not say where somebody came from. */
  readonly #tlsDoors = new Map<string | undefined, TlsDoor>()
  #tls: ClientTls | undefined
  #lastId: number
  #stopping = false
  /** Clients that are being told that there are too many. */
  #refusals = 0
  #onEmpty: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#lastId = options.idsAbove
    this.#room = new Room(options.clientBytesMax)
    this.#watch = new ClientWatch({
      clients: this.#sessions,
      bytesMax: options.clientBytesMax,
      room: this.#room,
      cutOffs: options.stats.cutOffs,
      logger: options.logger,
    })
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions
  }

  /** What clients of TLS addresses see from now on; there must be one before such an address. */
  useTls(settings: ClientTls): void {
    this.#tls = settings
    for (const door of this.#tlsDoors.values()) door.use(settings)
  }

  /**
   * Starts accepting at all these addresses. Says where, with the ports that were taken: a host may
   * stand for several addresses. One in numbers may be of a family that this machine lacks, as long as
   * there are others. Rejects with the system's error, EADDRINUSE for example.
   */
  async listen<Wanted extends Address>(all: readonly Wanted[]): Promise<Listening<Wanted>[]> {
    const listening: Listening<Wanted>[] = []
    const missing: { readonly wanted: Wanted; readonly error: unknown }[] = []
    for (const wanted of all) {
      try {
        for (const actual of await this.#listenAt(wanted, all)) listening.push({ wanted, actual })
      } catch (error) {
        if (!isFamilyMissing(error)) throw error
        missing.push({ wanted, error })
      }
    }
    if (listening.length === 0) throw missing[0]?.error
    for (const { wanted } of missing) {
      const facts = { address: wanted }
      this.#options.logger.warn(facts, 'not listened on, for this machine lacks its address family')
    }
    return listening
  }

  /** Those of its addresses on which it does not accept already. */
  async #listenAt(
    address: Address,
    all: readonly Address[],
  ): Promise<readonly (net.AddressInfo | string)[]> {
    const isTls = 'tls' in address
    const servers = await listenAt(address, {
      all,
      isShared: this.#options.sharesAddresses,
      makeServer: () => this.#makeServer(isTls, address.pool),
      isTaken: (host, port) => this.#taken.has(takenKey({ address: host, port }, isTls)),
      // A client that cannot be accepted (EMFILE, ECONNABORTED) must not end the process.
      onError: ({ message }) => {
        this.#options.logger.warn({ reason: message }, 'client not accepted')
      },
    })
    this.#servers.push(...servers)
    const addresses = servers.map((server) => server.address() as net.AddressInfo | string)
    for (const each of addresses) this.#taken.add(takenKey(each, isTls))
    return addresses
  }

  #makeServer(isTls: boolean, pool: string | undefined): net.Server {
    const door = isTls ? this.#tlsDoorTo(pool) : undefined
    const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: !isTls })
    return server.on('connection', (socket) => this.#accept(socket, pool, door))
  }

  #tlsDoorTo(pool: string | undefined): TlsDoor {
    const known = this.#tlsDoors.get(pool)
    if (known !== undefined) return known
    const door = new TlsDoor({
      logger: this.#options.logger,
      onSecure: (socket) => this.#welcomeSecure(socket, pool),
    })
    if (this.#tls !== undefined) door.use(this.#tls)
    this.#tlsDoors.set(pool, door)
    return door
  }

  /** Accepts no more clients; those that are connected stay. */
  stopAccepting(): void {
    this.#stopping = true
    for (const server of this.#servers) server.close()
  }

  /**
   * Lets every client have the replies it is owed and closes its connection; those that are not
   * done after `timeoutMs` are closed as they are. Resolves when no client is left.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#sessions.size > 0) await this.#drainSessions(timeoutMs)
    for (const door of this.#tlsDoors.values()) door.close()
  }

  async #drainSessions(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy()
    }, timerMs(timeoutMs))
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

  #accept(accepted: net.Socket, pool: string | undefined, door: TlsDoor | undefined): void {
    let connected = this.#sessions.size
    for (const { handshakes } of this.#tlsDoors.values()) connected += handshakes
    if (connected >= this.#options.maxClients()) {
      this.#refuse(accepted, door !== undefined)
    } else if (door !== undefined) {
      door.enter(accepted)
    } else {
      this.#welcome(pool, (onBytes) => adoptAccepted(accepted, onBytes))
    }
  }

  /** Only a few get the error: while a client reads it, it takes a descriptor, and these are short. */
  #refuse(accepted: net.Socket, isTls: boolean): void {
    if (isTls || this.#refusals >= REFUSALS_MAX) {
      accepted.destroy()
      return
    }
    this.#refusals++
    accepted.on('error', () => {})
    accepted.on('close', () => this.#refusals--)
    accepted.setTimeout(LINGER_MS, () => accepted.destroy())
    accepted.end(TOO_MANY_CLIENTS)
    accepted.resume()
  }

  #welcomeSecure(socket: net.Socket, pool: string | undefined): void {
    if (this.#stopping) {
      socket.destroy()
      return
    }
    this.#welcome(pool, (onBytes) => {
      socket.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length))
      return socket
    })
  }

  #welcome(pool: string | undefined, attach: (onBytes: BytesHandler) => net.Socket): void {
    const { serve, turn, stats } = this.#options
    this.#lastId++
    const session = new Session(this.#lastId, turn, stats, this.#soleClient, this.#room)
    const handler = serve(session, pool)
    this.#sessions.add(session)
    this.#watch.start()
    const socket = attach((buffer, length) => session.onBytes(buffer, length))
    socket.setKeepAlive(true, CLIENT_KEEPALIVE_MS)
    session.start(socket, handler, () => this.#forget(session))
  }
}

function takenKey(address: Pick<net.AddressInfo, 'address' | 'port'> | string, isTls: boolean) {
  return JSON.stringify([
    address instanceof Object ? [address.address, address.port] : address,
    isTls,
  ])
}
