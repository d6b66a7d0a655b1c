/** Where the ambassador puts keys when nothing is said but the shards. */
import { mergeLayers } from '../../lib/config/schema.ts'
import { Placement } from '../../lib/routing/placement/placement.ts'
import type { Server } from '../../lib/routing/placement/ring.ts'

/** By the defaults of the options. */
export function placementOver(servers: readonly Server[]): Placement {
  const { hash, distribution, hashTag, byteSign } = mergeLayers([])
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}
