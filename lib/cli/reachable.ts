/** Addresses to connect to, for an address that a process on this machine listens at. */
import type { NetConnectOpts } from 'node:net'
import type { ListenAddress } from '../config/config.ts'
import { isLocalhost, LOOPBACKS } from '../io/localhost.ts'

/** To be tried in this order, for one of two families may be missing. A wildcard becomes loopback. */
export function reachable(address: ListenAddress): readonly NetConnectOpts[] {
  if ('path' in address) return [{ path: address.path }]
  const { host, port } = address
  const isBoth = host === '::' || isLocalhost(host)
  const hosts = isBoth ? LOOPBACKS : [host === '0.0.0.0' ? '127.0.0.1' : host]
  return hosts.map((each) => ({ host: each, port }))
}
