/**
 * Where a cluster is asked when no known node answers. A seed is a name or an address. A configuration
 * endpoint is a name that leads to different nodes over time, so names are looked up anew each time.
 */
import { ADDRCONFIG, promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { CLUSTER_LOOKUP_MS, CLUSTER_SEED_ADDRESSES_MAX } from '../../limits.ts'
import { addressKey } from '../server-address.ts'
import type { NodeAddress } from './view.ts'

/** A place to ask. */
export interface Candidate {
  readonly address: NodeAddress
  /** The name by which its certificate knows it, where that is not its address's host. */
  readonly serverName: string | undefined
}

/** A node by the address that the map has. */
export function candidateAt(address: NodeAddress): Candidate {
  return { address, serverName: undefined }
}

/** All addresses of all seeds, each once, beginning with those of the seed `start`. Never rejects. */
export async function seedCandidates(
  seeds: readonly NodeAddress[],
  start: number,
): Promise<Candidate[]> {
  const at = start % Math.max(1, seeds.length)
  const inTurn = [...seeds.slice(at), ...seeds.slice(0, at)]
  const found = await Promise.all(inTurn.map(candidatesOf))
  const all = found.flat().map((each) => [addressKey(each.address), each] as const)
  return [...new Map(all).values()]
}

async function candidatesOf(seed: NodeAddress): Promise<Candidate[]> {
  const itself = [candidateAt(seed)]
  if (isIP(seed.host) !== 0) return itself
  // A resolver that hangs must not keep us from the other seeds.
  const late = new AbortController()
  const found = await Promise.race([
    dns.lookup(seed.host, { all: true, hints: ADDRCONFIG }).catch(() => []),
    pause(CLUSTER_LOOKUP_MS, [], { signal: late.signal, ref: false }).catch(() => []),
  ])
  late.abort()
  // A name with at most one address is connected to by its name, which its certificate has.
  if (found.length < 2) return itself
  return found.slice(0, CLUSTER_SEED_ADDRESSES_MAX).map(({ address: host }) => {
    return { address: { host, port: seed.port }, serverName: seed.host }
  })
}
