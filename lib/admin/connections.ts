/**
 * The connections to the admin endpoint. They are few, and when more come, the oldest are closed: otherwise
 * a handful of idle connections would keep out the probes that decide whether this process lives.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { ADMIN_CONNECTIONS_BURST_MAX, ADMIN_CONNECTIONS_MAX, ADMIN_GRACE_MS } from '../limits.ts'

export class AdminConnections {
  /** When each was accepted, monotonic, milliseconds; oldest first. */
  readonly #acceptedMs = new Map<Socket, number>()
  readonly #stays: (socket: Socket) => boolean
  #timer: NodeJS.Timeout | undefined

  /** `stays`: whether a connection is never closed to make room. There are fewer such connections than places. */
  constructor(stays: (socket: Socket) => boolean) {
    this.#stays = stays
  }

  /** From now on the server's connections count. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#add(socket))
  }

  #add(socket: Socket): void {
    this.#acceptedMs.set(socket, performance.now())
    socket.once('close', () => this.#acceptedMs.delete(socket))
    if (this.#acceptedMs.size > ADMIN_CONNECTIONS_BURST_MAX) this.#closeOldest(0)
    this.#trimLater()
  }

  #trimLater(): void {
    if (this.#acceptedMs.size <= ADMIN_CONNECTIONS_MAX) return
    // Not at once: of many connections that come together, one may be a probe that has yet to ask.
    // Timers run before sockets are read; setImmediate lets requests that came during a stall of ours
    // be answered first.
    this.#timer ??= setTimeout(() => setImmediate(() => this.#trim()), ADMIN_GRACE_MS).unref()
  }

  #trim(): void {
    this.#timer = undefined
    while (this.#acceptedMs.size > ADMIN_CONNECTIONS_MAX && this.#closeOldest(ADMIN_GRACE_MS)) {}
    this.#trimLater()
  }

  /** Closes the oldest connection that is older than `graceMs`. Returns whether there was one. */
  #closeOldest(graceMs: number): boolean {
    const oldest = [...this.#acceptedMs].find(([socket]) => !this.#stays(socket))
    if (oldest === undefined) return false
    const [socket, acceptedMs] = oldest
    if (performance.now() - acceptedMs < graceMs) return false
    this.#acceptedMs.delete(socket)
    socket.destroy()
    return true
  }
}
