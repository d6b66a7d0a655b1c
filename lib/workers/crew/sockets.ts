/**
 * Files of unix sockets that workers share. The supervisor's process makes them, when the first worker asks for
 * them.
 */
import cluster from 'node:cluster'
import { chmodSync } from 'node:fs'
import type { ListenAddress } from '../../config/config.ts'
import { removeStaleSocket, SOCKET_MODE } from '../../io/unix-socket.ts'

/** What `node:cluster` says of an address instead of a family: it is a path. */
const UNIX = -1

/**
 * Removes files that dead processes have left, and sees to it that a new file has its mode from its first moment
 * on, or a stricter one. Returns the process' umask, which is stricter from now on.
 */
export async function prepareSockets(listen: readonly ListenAddress[]): Promise<number> {
  const modes = new Map<string, number>()
  for (const address of listen) {
    if (!('path' in address)) continue
    await removeStaleSocket(address.path)
    modes.set(address.path, address.mode ?? SOCKET_MODE)
  }
  if (modes.size === 0) return process.umask()
  cluster.on('listening', (_worker, { addressType, address }) => {
    const mode = addressType === UNIX ? modes.get(address) : undefined
    if (mode !== undefined) chmodSync(address, mode)
  })
  return process.umask(0o777 & ~SOCKET_MODE)
}
