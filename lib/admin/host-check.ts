/**
 * Against other people's web pages. By DNS rebinding a page may give its own name our address and then
 * read, as its own origin, what its visitor's machine serves on loopback: its requests still say its
 * name in `Host`. Without that it reads nothing, but may ask, and so take connections and streams: then
 * browsers say where the request comes from.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

/**
 * Whether a request with this `Host` header may be answered: addresses, names of this machine, and
 * `listenHost`, the name that we were told to listen on. No header at all comes from no browser.
 */
export function isTrustedHost(header: string | undefined, listenHost: string | undefined): boolean {
  if (header === undefined) return true
  const host = hostOf(header)
  if (host === undefined) return false
  if (host === 'localhost' || host.endsWith('.localhost') || isIP(host) !== 0) return true
  return host === listenHost?.toLowerCase()
}

/** The host in `host`, `host:port`, `[IPv6]` or `[IPv6]:port`, in lower case; undefined: none of them. */
function hostOf(header: string): string | undefined {
  const { ipv6, name } =
    /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:]+))(?::\d*)?$/.exec(header)?.groups ?? {}
  return (ipv6 ?? name)?.toLowerCase()
}

/** Whether a page of another origin asks, other than by a link that somebody follows. */
export function isForeignPage({
  'sec-fetch-site': site,
  'sec-fetch-mode': mode,
  'sec-fetch-dest': destination,
}: IncomingHttpHeaders): boolean {
  // None: an address line, a bookmark. Not there: no browser, or an old one.
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return mode !== 'navigate' || destination !== 'document'
}
