/** Host-and-port and unix socket addresses, as they are written in options. */
import { isIPv6 } from 'node:net'
import { UNIX_PATH_BYTES_MAX } from '../../limits.ts'
import type { ClusterConfig, ListenAddress, ShardConfig, TcpListenAddress } from './types.ts'

export const PORT_MAX = 65535

/** Before an address where clients speak TLS. */
const TLS_SCHEME = 'tls://'

/** RFC 1123 names with the underscores that Docker and Kubernetes allow, and IPv4 addresses. */
export const HOST_NAME = /^(?!-)[A-Za-z0-9._-]{1,253}$/

/**
 * `host:port` or `[IPv6]:port`. Otherwise what is wrong, as the rest of a sentence that starts
 * with the text itself.
 */
export function parseHostPort(text: string, portMin: 0 | 1): TcpListenAddress | string {
  const colon = text.lastIndexOf(':')
  if (colon === -1) return 'is not host:port'
  const hostText = text.slice(0, colon)
  const host = hostText.startsWith('[') ? hostText.slice(1, -1) : hostText
  if (hostText.startsWith('[') ? !hostText.endsWith(']') || !isIPv6(host) : !HOST_NAME.test(host)) {
    if (isIPv6(text) || isIPv6(host)) return 'is an IPv6 address without brackets; write [::1]:6379'
    return 'has no valid host before the port'
  }
  const port = parsePort(text.slice(colon + 1))
  if (port === undefined || port < portMin) return `has no port from ${portMin} to ${PORT_MAX}`
  return { host, port }
}

/** Decimal digits only: `0x10`, `6379.5`, `+1` and `007` are mistakes. */
function parsePort(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return undefined
  return Number(text) <= PORT_MAX ? Number(text) : undefined
}

/** What is wrong with the path of a unix socket; undefined when nothing is. */
export function unixPathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path of a unix socket'
  if (path.endsWith('/')) return 'is a directory, not a unix socket'
  if (/\p{Cc}/u.test(path)) return 'holds a control character'
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    return `is longer than ${UNIX_PATH_BYTES_MAX} bytes, the bound for unix sockets`
  }
  return undefined
}

/** `unix:/path` or `unix:///path` to `/path`; undefined when it is another kind of address. */
export function unixPath(text: string): string | undefined {
  return text.startsWith('unix:') ? text.slice('unix:'.length).replace(/^\/\/\//, '/') : undefined
}

/** An address to listen on; otherwise what is wrong with it. Port 0 takes any free port. */
export function parseListenAddress(text: string): ListenAddress | string {
  const path = unixPath(text)
  if (path === undefined) return parseTcpListenAddress(text)
  return unixPathProblem(path) ?? { path, mode: undefined }
}

function parseTcpListenAddress(text: string): TcpListenAddress | string {
  if (!text.startsWith(TLS_SCHEME)) return parseHostPort(text, 0)
  const address = parseHostPort(text.slice(TLS_SCHEME.length), 0)
  return typeof address === 'string' ? address : { ...address, tls: true }
}

/** The address as an operator would write it. */
export function addressText(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${address.tls === true ? TLS_SCHEME : ''}${host}:${address.port}`
}

/** The address with the pool that it leads to. */
export function listenText(address: ListenAddress): string {
  const text = addressText(address)
  return address.pool === undefined ? text : `${address.pool}@${text}`
}

/** As `listenText`, with the host and port that the system reports for a listening socket of this address. */
export function actualText(
  address: ListenAddress,
  actual: { readonly address: string; readonly port: number } | string,
): string {
  if ('path' in address || typeof actual === 'string') return listenText(address)
  return listenText({ ...address, host: actual.address, port: actual.port })
}

/**
 * A shard's address without its credentials; for a shard found through sentinels the master's name.
 */
export function shardAddressText({ host, port, path, tls, sentinel }: ShardConfig): string {
  if (sentinel !== undefined) return `${tls ? 'rediss' : 'redis'}+sentinel://${sentinel.master}`
  const address = addressText(path === undefined ? { host, port } : { path, mode: undefined })
  return tls ? `rediss://${address}` : address
}

/** A cluster as it may be written, without its credentials. */
export function clusterText({ seeds, tls }: ClusterConfig): string {
  return `${tls ? 'rediss' : 'redis'}+cluster://${seeds.map(addressText).join(',')}`
}
