/** Where one server is, as sentinels, cluster nodes and servers tell it. */

export interface ServerAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
}

/** `10.0.0.1:6379`, `[::1]:6379`: for logs, and to compare by. */
export function addressKey({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Undefined for an address that cannot be connected to, such as `:0` (see predixy#14). */
export function serverAddress(host: unknown, port: unknown): ServerAddress | undefined {
  const number = Number(port)
  const isPort = Number.isInteger(number) && number >= 1 && number <= 65_535
  const isHost = typeof host === 'string' && /^[\w.:%-]{1,255}$/.test(host)
  return isPort && isHost ? { host, port: number } : undefined
}
