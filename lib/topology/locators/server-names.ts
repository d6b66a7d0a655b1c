/**
 * Which told addresses are one and the same server: sentinels may tell one by its name and another by its
 * IP (`announce-hostnames`, or a replica that is known from its connection). Names are looked up whenever
 * they are told; until that is done, and when it fails, two addresses are two servers. So are two names,
 * whatever they lead to: behind one IP a router may choose by name.
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import { SERVER_NAME_LOOKUP_MS, SERVER_NAME_MS, SERVER_NAMES_MAX } from '../../limits.ts'

/** `ipsOf`: where a name leads, as far as that is known. */
export function isOneServer(
  one: ServerAddress,
  other: ServerAddress,
  ipsOf: (name: string) => readonly string[] | undefined,
): boolean {
  if (one.port !== other.port) return false
  if (addressKey(one) === addressKey(other)) return true
  return (
    ipsOf(one.host)?.includes(other.host) === true || ipsOf(other.host)?.includes(one.host) === true
  )
}

interface Known {
  /** Empty while it is not known. */
  ips: readonly string[]
  toldMs: number
  askedMs: number
}

export class ServerNames {
  readonly #byName = new Map<string, Known>()
  readonly #now: () => number
  readonly #onFound: () => void

  /** `now`: monotonic, milliseconds. `onFound`: a name leads to other IPs than before. */
  constructor(now: () => number, onFound: () => void) {
    this.#now = now
    this.#onFound = onFound
  }

  isOne(one: ServerAddress, other: ServerAddress): boolean {
    return isOneServer(one, other, (name) => this.#byName.get(name)?.ips)
  }

  /** These were told now. Names that are told no more are forgotten. */
  told(addresses: readonly ServerAddress[]): void {
    const nowMs = this.#now()
    for (const { host } of addresses) if (isIP(host) === 0) this.#told(host, nowMs)
    for (const [host, { toldMs }] of this.#byName) {
      if (nowMs - toldMs > SERVER_NAME_MS) this.#byName.delete(host)
    }
  }

  #told(host: string, nowMs: number): void {
    const known = this.#byName.get(host) ?? {
      ips: [],
      toldMs: nowMs,
      askedMs: -SERVER_NAME_LOOKUP_MS,
    }
    known.toldMs = nowMs
    if (nowMs - known.askedMs < SERVER_NAME_LOOKUP_MS) return
    if (!this.#byName.has(host) && this.#byName.size >= SERVER_NAMES_MAX) return
    known.askedMs = nowMs
    this.#byName.set(host, known)
    lookup(host, { all: true }, (error, found) => {
      const ips = error === null ? found.map(({ address }) => address).sort() : []
      if (`${ips}` === `${known.ips}`) return
      known.ips = ips
      if (this.#byName.get(host) === known) this.#onFound()
    })
  }
}
