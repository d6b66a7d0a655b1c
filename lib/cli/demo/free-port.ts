/** Finds a port to listen on for servers that only live as long as a demonstration. */
import { type AddressInfo, createServer } from 'node:net'

const LAST_PORT = 65_535

/**
 * The first port from `from` up that nobody listens on at 127.0.0.1; from 0, any.
 * Throws when there is none.
 */
export async function firstFreePort(from: number): Promise<number> {
  for (let port = from; port <= LAST_PORT; port += 1) {
    const free = await tryPort(port)
    if (free !== undefined) return free
  }
  throw new Error(`no free port from ${from} to ${LAST_PORT}`)
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo
      server.close(() => resolve(free))
    })
  })
}
