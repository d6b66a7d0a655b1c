/** Starts servers at a configured address: a unix socket, or all addresses of a host. */
import { type AddressInfo, isIPv6, type Server } from 'node:net'
import { addressesOf, type BindOptions, openDoors } from './doors.ts'
import { removeStaleSocket, SOCKET_MODE, withSocketMode } from './unix-socket.ts'

type TcpAddress = { readonly host: string; readonly port: number }
type UnixAddress = { readonly path: string; readonly mode: number | undefined }

export interface ListenOptions<Made extends Server> {
  /** All configured addresses, this one included. */
  readonly all: readonly (TcpAddress | UnixAddress)[]
  readonly makeServer: () => Made
  /** Other processes listen there as well: the file of a unix socket is not this one's. */
  readonly isShared?: boolean
  /** Whether a server of ours listens there already, as with `localhost` and `[::1]` in one list. */
  readonly isTaken?: (host: string, port: number) => boolean
  /** A listening server could not accept a connection. Without a handler that error ends the process. */
  readonly onError: (error: Error) => void
}

/** Connections that the kernel keeps for us until we accept them; Redis's default. */
const BACKLOG = 511

/**
 * Returns no server if all addresses are taken by ours already. A unix socket's file gets its mode, 0600 by default.
 * Rejects with the system's error, EADDRINUSE for example, and leaves nothing open.
 */
export async function listenAt<Made extends Server>(
  address: TcpAddress | UnixAddress,
  { all, makeServer, isShared = false, isTaken = () => false, onError }: ListenOptions<Made>,
): Promise<readonly Made[]> {
  const start = async (listen: (server: Made) => void): Promise<Made> => {
    const server = makeServer()
    await listening(server, listen)
    server.on('error', onError)
    return server
  }
  if ('path' in address) {
    const { path, mode = SOCKET_MODE } = address
    if (isShared) return [await start((server) => server.listen({ path, backlog: BACKLOG }))]
    await removeStaleSocket(path)
    const listen = (server: Server) => {
      withSocketMode(mode, () => server.listen({ path, backlog: BACKLOG }))
    }
    return [await start(listen)]
  }
  const { host, port } = address
  const open = async (options: BindOptions) => {
    const server = await start((made) => made.listen({ ...options, backlog: BACKLOG }))
    const { port: taken } = server.address() as AddressInfo
    return { server, port: taken, close: () => server.close() }
  }
  const ipv6Only = host === '::' && all.some((each) => isIpv4At(port, each))
  const addresses = (await addressesOf(host)).filter((each) => !isTaken(each, port))
  if (addresses.length === 0) return []
  const doors = await openDoors(addresses, { port, ipv6Only }, open)
  return doors.map(({ server }) => server)
}

/**
 * Whether an address of IPv4 is configured with this port, which `::` would take for both families.
 */
function isIpv4At(port: number, address: TcpAddress | UnixAddress): boolean {
  return !('path' in address) && address.port === port && port !== 0 && !isIPv6(address.host)
}

function listening<Made extends Server>(
  server: Made,
  listen: (server: Made) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', () => {
      server.off('error', reject)
      resolve()
    })
    listen(server)
  })
}
