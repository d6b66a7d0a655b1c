/**
 * The end of a client's connection after its last reply: our FIN, and a bound on how long the client may take
 * to send its own.
 */
import type net from 'node:net'
import { LINGER_MS } from '../../limits.ts'

export class Farewell {
  readonly #timer: NodeJS.Timeout

  constructor(socket: net.Socket) {
    socket.end()
    this.#timer = setTimeout(() => socket.destroy(), LINGER_MS)
    // What the client still sends is read and dropped: closing with unread bytes would send a
    // reset, and a reset can take the last reply with it.
    socket.resume()
  }

  /** The connection is closed. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
