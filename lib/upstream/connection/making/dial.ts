/** How a shard is reached: a socket in clear, or one with TLS that trusts nobody unverified. */
import net from 'node:net'
import tls from 'node:tls'
import { type BytesHandler, readFallback, readOptions } from '../../../io/preallocated-read.ts'

/** Where a shard is, and with TLS, how to know that it is the one. */
export type ShardAddress = net.NetConnectOpts & { readonly tls?: tls.ConnectionOptions }

export interface ShardTls {
  /** Certificates in PEM form; undefined: those that Node.js trusts. */
  readonly authorities: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
  /** The name in the shard's certificate; undefined: its host. */
  readonly serverName: string | undefined
  /** Takes any certificate. */
  readonly insecure: boolean
}

/**
 * The options for all connections to one shard: the certificates are read once, since parsing those
 * of all authorities takes milliseconds. `host`: as configured, to which the certificate must be.
 */
export function tlsOptions(settings: ShardTls, host: string): tls.ConnectionOptions {
  const { authorities, certificate, key, serverName, insecure } = settings
  // RFC 6066, section 3: a name only. Without one, Node checks the certificate against the host.
  const name = serverName ?? (net.isIP(host) === 0 ? host : undefined)
  return {
    secureContext: tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    }),
    ...(name === undefined ? {} : { servername: name }),
    rejectUnauthorized: !insecure,
  }
}

export type Dial = (address: ShardAddress, onBytes: BytesHandler, onOpen: () => void) => net.Socket

/** Connects; `onOpen` comes when requests may be written, with TLS once the shard has proved itself. */
export function dial(address: ShardAddress, onBytes: BytesHandler, onOpen: () => void): net.Socket {
  const { tls: secure, ...where } = address
  const socket =
    secure === undefined
      ? net.connect({ ...where, ...readOptions(onBytes) })
      : tls.connect({ ...where, ...secure, ...readOptions(onBytes) })
  readFallback(socket, onBytes)
  socket.on(secure === undefined ? 'connect' : 'secureConnect', onOpen)
  return socket
}

/** The error in words, safe for a log: OpenSSL's own message is a line of numbers and file names. */
export function dialProblem(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

/**
 * Whether one side did not trust the other, or does not speak TLS: trying again at once would only
 * cost both the arithmetic. A connection that broke is another matter.
 */
export function isDistrust(error: NodeJS.ErrnoException): boolean {
  return error.syscall === undefined && error.code !== 'ECONNRESET' && error.code !== undefined
}
