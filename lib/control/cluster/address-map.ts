/**
 * Where the servers of a cluster are, seen from here. They announce what they believe, which behind NAT
 * or in containers is no place that we reach.
 */
import { addressKey } from '../server-address.ts'
import type { NodeAddress } from './view.ts'

/** By `host:port` as announced. */
export type AddressMap = ReadonlyMap<string, NodeAddress>

/** Where a server is that announces this address. */
export function reachedAt(map: AddressMap, announced: NodeAddress): NodeAddress {
  return map.get(addressKey(announced)) ?? announced
}
