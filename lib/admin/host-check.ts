/**
 * Protects the admin endpoint from web pages of others. By DNS rebinding a page may give its own name
 * our address and then read, as its own origin, what its visitor's machine serves. Such a request still
 * has the page's name in `Host`, a name that somebody could register. Without rebinding a page cannot
 * read answers, but it can send requests that take connections and streams; browsers mark these as
 * coming from elsewhere. See decision 15.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { isLocalhost } from '../io/localhost.ts'

/**
 * Names under which others find this machine, or service, and no stranger's page: a single label
 * (`ambassador`, as compose and Kubernetes name services), or a name under a domain that is nobody's to
 * register (RFC 6762 for .local; ICANN has reserved .internal).
 */
const PRIVATE_NAME = /^(?:[a-z0-9_-]+|(?:[a-z0-9_-]+\.)+(?:local|internal))$/

/**
 * Whether a request with this `Host` header may read. It may if the header names an address, this machine,
 * a name that no stranger can have, or one of `names`. A request without the header comes from no browser.
 */
export function mayRead(header: string | undefined, names: readonly string[]): boolean {
  if (mayOrder(header, names)) return true
  const host = hostOf(header)
  return host !== undefined && (PRIVATE_NAME.test(host) || host === hostname().toLowerCase())
}

/**
 * Whether a request with this `Host` header may give an order. Fewer names may than for reading: a stranger
 * on this network may answer for any name without a dot, and an order is worth more to him.
 */
export function mayOrder(header: string | undefined, names: readonly string[]): boolean {
  if (header === undefined) return true
  const host = hostOf(header)
  if (host === undefined) return false
  if (isLocalhost(host) || isIP(host) !== 0) return true
  return names.some((name) => isNamed(host, name.toLowerCase()))
}

/** `*.example.com` stands for all below it. */
function isNamed(host: string, name: string): boolean {
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name
}

/** The host in `host`, `host:port`, `[IPv6]` or `[IPv6]:port`, in lower case; undefined: none of them. */
function hostOf(header: string | undefined): string | undefined {
  const { ipv6, name } =
    /^(?:\[(?<ipv6>[^\]]+)\]|(?<name>[^:]+))(?::\d*)?$/.exec(header ?? '')?.groups ?? {}
  return (ipv6 ?? name)?.toLowerCase()
}

/** Whether a page of another origin asks, other than by a link that somebody follows. */
export function isForeignPage({
  'sec-fetch-site': site,
  'sec-fetch-mode': mode,
  'sec-fetch-dest': destination,
}: IncomingHttpHeaders): boolean {
  // `none` is an address line or a bookmark. A request without the header comes from no browser, or
  // an old one.
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return mode !== 'navigate' || destination !== 'document'
}
