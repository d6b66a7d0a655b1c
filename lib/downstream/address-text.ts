/** As Redis writes it: `10.0.0.1:6379`, `[::1]:6379`; empty for a unix socket. Pure. */
export function addressText(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return ''
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
