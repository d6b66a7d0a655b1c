/** Finds a port to listen on for servers that only live as long as a demonstration. */
import { type AddressInfo, createServer } from 'node:net'
import { listenAt } from '../../io/listen.ts'

const LAST_PORT = 65_535

/**
 * The first port from `from` up that nobody listens on at localhost; from 0, any.
 * Throws when no port is free.
 */
export async function firstFreePort(from: number): Promise<number> {
  for (let port = from; port <= LAST_PORT; port += 1) {
    const free = await tryPort(port)
    if (free !== undefined) return free
  }
  throw new Error(`no free port from ${from} to ${LAST_PORT}`)
}

async function tryPort(port: number): Promise<number | undefined> {
  const makeServer = () => createServer()
  const address = { host: 'localhost', port }
  try {
    const servers = await listenAt(address, { all: [], makeServer, onError: () => {} })
    const free = (servers[0]?.address() as AddressInfo | undefined)?.port
    for (const server of servers) await new Promise((resolve) => server.close(resolve))
    return free
  } catch {
    return undefined
  }
}
