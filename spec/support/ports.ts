/** Free TCP ports on 127.0.0.1 for the servers that specs and the bench start. */
import { createServer } from 'node:net'

/**
 * Below the kernel's ephemeral range (32768 and up), so that no outgoing connection of another
 * process can take a port between our finding it free and the server's binding it.
 */
const FIRST_PORT = 20_000
const PORT_COUNT = 12_000

const handedOut = new Set<number>()

/** A port nobody listens on, never the same one twice in this process. */
export async function freePort(): Promise<number> {
  // A random start keeps test runs that share the machine out of each other's way.
  const start = Math.floor(Math.random() * PORT_COUNT)
  for (let step = 0; step < PORT_COUNT; step += 1) {
    const port = FIRST_PORT + ((start + step) % PORT_COUNT)
    if (handedOut.has(port)) continue
    handedOut.add(port)
    if (await canListen(port)) return port
  }
  throw new Error(`no free port from ${FIRST_PORT} to ${FIRST_PORT + PORT_COUNT - 1}`)
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
