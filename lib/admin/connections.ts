/**
 * The few connections there may be, and who of them goes when one more comes: the one that has been
 * there longest. Otherwise a handful of connections on which nothing is asked would keep out the probes
 * by which somebody decides whether this process lives.
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { ADMIN_CONNECTIONS_MAX } from '../limits.ts'

/** `stays`: whether this connection is none of those that make room; of such there are fewer than all. */
export function boundConnections(server: Server, stays: (socket: Socket) => boolean): void {
  /** Oldest first. */
  const sockets = new Set<Socket>()
  // The one more is there for as long as it takes to close another.
  server.maxConnections = ADMIN_CONNECTIONS_MAX + 1
  server.on('connection', (socket: Socket) => {
    if (sockets.size === ADMIN_CONNECTIONS_MAX) {
      const oldest = [...sockets].find((each) => !stays(each))
      oldest?.destroy()
      if (oldest !== undefined) sockets.delete(oldest)
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
}
