/**
 * Where the servers of a cluster are, seen from here. Behind NAT or in containers they announce
 * addresses that we cannot reach.
 */
import { addressKey } from '../server-address.ts'
import type { NodeAddress } from './view.ts'

/** By `host:port` as announced. */
export type AddressMap = ReadonlyMap<string, NodeAddress>

/** Where a server is that announces this address. */
export function reachedAt(map: AddressMap, announced: NodeAddress): NodeAddress {
  return map.get(addressKey(announced)) ?? announced
}
