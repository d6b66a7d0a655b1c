/** Unix sockets to listen on: a file left behind by a dead process must not keep us from starting. */
import { statSync, unlinkSync } from 'node:fs'
import net from 'node:net'

/** Who may connect when nothing else is said: our own user. */
export const SOCKET_MODE = 0o600

/**
 * Removes the socket file at `path` if nobody listens on it. A live socket, or a file of another
 * kind, stays: listening will then fail with EADDRINUSE.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isSocket() && (await isDead(path))) unlinkSync(path)
}

function isDead(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path })
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}

/** Runs `bind`, which creates a socket file, so that the file has `mode` from its first moment. */
export function withSocketMode(mode: number, bind: () => void): void {
  const before = process.umask(0o777 & ~mode)
  try {
    bind()
  } finally {
    process.umask(before)
  }
}
