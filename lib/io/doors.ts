/**
 * Opens the sockets for a host and a port to listen on: a name may have several addresses, and a
 * socket serves one family only.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { SAME_PORT_ATTEMPTS_MAX } from '../limits.ts'
import { isLocalhost, LOOPBACKS } from './localhost.ts'

/** What one socket listens on. */
export interface BindOptions {
  /** An address in numbers. */
  readonly host: string
  readonly port: number
  /** Without it `::` would take IPv4 as well. */
  readonly ipv6Only: boolean
}

/** A listening socket. */
export interface Door {
  /** The actual port, also where 0 was asked for. */
  readonly port: number
  close(): void
}

/** All addresses of a host, each once, those of IPv4 first. Rejects as `lookup` does. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  if (isLocalhost(host)) return LOOPBACKS
  const found = await lookup(host, { all: true })
  found.sort((one, other) => one.family - other.family)
  return [...new Set(found.map(({ address }) => address))]
}

/**
 * Opens a door at each address, all on the same port. Those of a family that this machine lacks are left
 * out as long as there is another. Rejects with the first error otherwise, and leaves nothing open.
 */
export async function openDoors<Opened extends Door>(
  addresses: readonly string[],
  { port, ipv6Only }: Omit<BindOptions, 'host'>,
  open: (options: BindOptions) => Promise<Opened>,
): Promise<readonly Opened[]> {
  for (let attempt = 1; ; attempt++) {
    const opened: Opened[] = []
    const errors: unknown[] = []
    for (const host of addresses) {
      const options = { host, port: port === 0 ? (opened[0]?.port ?? 0) : port, ipv6Only }
      await open(options).then(
        (door) => opened.push(door),
        (error) => errors.push(error),
      )
    }
    const error = errors.find((each) => !isAddressMissing(each)) ?? errors[0]
    if (opened.length > 0 && errors.every(isAddressMissing)) return opened
    for (const door of opened) door.close()
    // A port that is free at one address may be in use at another.
    const isUnlucky = port === 0 && opened.length > 0 && codeOf(error) === 'EADDRINUSE'
    if (isUnlucky && attempt < SAME_PORT_ATTEMPTS_MAX) continue
    // `::` stands for both families; a machine without IPv6 still has IPv4.
    const isAnyOfBoth = addresses[0] === '::' && !ipv6Only && isFamilyMissing(error)
    if (!isAnyOfBoth) throw error
    return openDoors(['0.0.0.0'], { port, ipv6Only }, open)
  }
}

/** Whether this machine lacks the address, or every address of its family. */
function isAddressMissing(error: unknown): boolean {
  return codeOf(error) === 'EADDRNOTAVAIL' || isFamilyMissing(error)
}

/** Whether the machine has no address of that family, the only reason for a missing loopback. */
export function isFamilyMissing(error: unknown): boolean {
  const code = codeOf(error)
  if (code === 'EAFNOSUPPORT') return true
  if (code !== 'EADDRNOTAVAIL' || !(error instanceof Error) || !('address' in error)) return false
  return LOOPBACKS.some((address) => address === error.address)
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
