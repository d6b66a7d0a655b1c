/** Where to connect to for somebody who listens on an address. */
import type { NetConnectOpts } from 'node:net'
import type { ListenAddress } from '../config/config.ts'

/** A wildcard address is none to connect to. */
export function reachable(address: ListenAddress): NetConnectOpts {
  if ('path' in address) return { path: address.path }
  const { host, port } = address
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port }
}
