/**
 * The texts inside a nutcracker.yml, parsed from the end as nc_conf.c does. Each reader returns
 * the value, or what is wrong as the rest of a sentence that starts with the text itself.
 */
import { isIPv6 } from 'node:net'
import { SHARD_WEIGHT_MAX } from '../../limits.ts'
import type { ListenAddress, ShardConfig } from '../config.ts'
import { PORT_MAX, parseHostPort, unixPathProblem } from '../values/address.ts'
import { shardNameProblem } from '../values/lists/shard-list.ts'

/** For an unnamed server with this port only the host goes on the ring, as in libmemcached. */
const LIBMEMCACHED_PORT = 11211

/** nc_atoi: digits only, leading zeros allowed. undefined for anything else. */
export function nutcrackerNumber(text: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  return value <= 0x7fffffff ? value : undefined
}

/** `host:port`, or `/path` with an optional octal mode after a space. */
export function nutcrackerListen(text: string): ListenAddress | string {
  if (!text.startsWith('/')) return nutcrackerHostPort(text)
  const space = text.lastIndexOf(' ')
  const path = space === -1 ? text : text.slice(0, space)
  const mode = space === -1 ? undefined : text.slice(space + 1)
  if (mode !== undefined && !/^0?[0-7]{1,3}$/.test(mode)) return 'has no octal mode up to 0777'
  const problem = unixPathProblem(path)
  if (problem !== undefined) return problem
  return { path, mode: mode === undefined ? undefined : Number.parseInt(mode, 8) }
}

/** `host:port:weight [name]` or `/path:weight [name]`, with the name that goes on the ring. */
export function nutcrackerServer(text: string): ShardConfig | string {
  const space = text.lastIndexOf(' ')
  const name = space === -1 ? undefined : text.slice(space + 1)
  const place = space === -1 ? text : text.slice(0, space)
  const colon = place.lastIndexOf(':')
  const address = place.slice(0, Math.max(colon, 0))
  const isPath = address.startsWith('/')
  if (!isPath && !address.includes(':')) {
    return 'is not host:port:weight [name] or /path:weight [name]'
  }
  const weight = nutcrackerNumber(place.slice(colon + 1))
  if (weight === undefined || weight < 1 || weight > SHARD_WEIGHT_MAX) {
    return `has no weight from 1 to ${SHARD_WEIGHT_MAX}`
  }
  const where = isPath ? nutcrackerPath(address) : nutcrackerHostPort(address)
  if (typeof where === 'string') return where
  const ringName = name ?? unnamed(address, where.port)
  const problem = shardNameProblem(ringName)
  if (problem !== undefined) return problem
  const access = { database: 0, username: undefined, password: undefined, tls: false }
  return {
    path: undefined,
    sentinel: undefined,
    replicas: [],
    ...where,
    ...access,
    name: ringName,
    weight,
  }
}

function nutcrackerPath(path: string) {
  return unixPathProblem(path) ?? { host: '', port: 0, path }
}

/** Bare IPv6 addresses parse, since the port is what follows the last colon. */
function nutcrackerHostPort(text: string): { host: string; port: number } | string {
  const [, host = '', digits = ''] = /^(.*):([0-9]+)$/s.exec(text) ?? []
  const port = nutcrackerNumber(digits)
  if (port === undefined || port < 1 || port > PORT_MAX) return `has no port from 1 to ${PORT_MAX}`
  return isIPv6(host) ? { host, port } : parseHostPort(`${host}:${port}`, 1)
}

/**
 * nc_conf.c, conf_add_server: the text before the weight, which for a unix path includes the colon.
 */
function unnamed(address: string, port: number): string {
  if (address.startsWith('/')) return `${address}:`
  return port === LIBMEMCACHED_PORT ? address.slice(0, address.lastIndexOf(':')) : address
}
