/**
 * Clients that speak TLS: takes accepted sockets, and gives those back whose handshake is done in
 * time. Everything else, such as a request in clear, ends at the door.
 */
import type net from 'node:net'
import tls from 'node:tls'
import { TLS_HANDSHAKE_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'

/** In PEM form. */
export interface ClientTls {
  readonly certificate: string
  readonly key: string
  /** Clients must have a certificate that one of these signed; undefined: they need none. */
  readonly authorities: string | undefined
}

export interface TlsDoorOptions {
  readonly logger: Logger
  /** Takes a socket whose handshake is done. */
  readonly onSecure: (socket: net.Socket) => void
  /** TLS_HANDSHAKE_MS unless told otherwise. */
  readonly handshakeMs?: number
}

export class TlsDoor {
  readonly #logger: Logger
  readonly #onSecure: (socket: net.Socket) => void
  readonly #handshakeMs: number
  /** All that came in and are still connected, whether or not their handshake is done. */
  readonly #accepted = new Set<net.Socket>()
  #secured = 0
  /** Never listens: only what it makes of a socket is wanted. */
  #server: tls.Server | undefined

  constructor({ logger, onSecure, handshakeMs = TLS_HANDSHAKE_MS }: TlsDoorOptions) {
    this.#logger = logger
    this.#onSecure = onSecure
    this.#handshakeMs = handshakeMs
  }

  /** Clients under way to a handshake: each has a descriptor, and may stay as long as the deadline. */
  get handshakes(): number {
    return this.#accepted.size - this.#secured
  }

  /** From now on clients see this certificate; those that are connected stay. */
  use({ certificate, key, authorities }: ClientTls): void {
    const server = tls.createServer({
      cert: certificate,
      key,
      ...(authorities === undefined ? {} : { ca: authorities, requestCert: true }),
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.#handshakeMs,
    })
    server.on('secureConnection', (socket) => {
      this.#secured++
      socket.on('close', () => {
        this.#secured--
      })
      this.#onSecure(socket)
    })
    server.on('tlsClientError', (error, socket) => {
      const reason = 'reason' in error ? error.reason : error.message
      this.#logger.debug({ reason }, 'TLS handshake failed')
      socket.destroy()
    })
    this.#server = server
  }

  enter(accepted: net.Socket): void {
    this.#accepted.add(accepted)
    accepted.on('error', () => {})
    accepted.on('close', () => this.#accepted.delete(accepted))
    // How a connection that was accepted elsewhere is handed to a TLS server (tls, 'connection').
    this.#server?.emit('connection', accepted)
  }

  /** Closes the remaining connections. */
  close(): void {
    for (const socket of this.#accepted) socket.destroy()
  }
}
