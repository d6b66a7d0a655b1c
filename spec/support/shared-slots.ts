/** What specs of keys in several slots share: a cluster for all of a `describe`, and clients for each spec. */
import type { AmbassadorUnderTest } from './ambassador.ts'
import { type Cluster, startCluster } from './cluster.ts'
import { startAmbassadorForCluster } from './cluster-ambassador.ts'
import type { ClusterServer } from './cluster-server.ts'
import type { RawClient } from './raw-client.ts'

export interface SharedSlots {
  cluster: Cluster
  ambassador: AmbassadorUnderTest
  client: RawClient
  other: RawClient
  /** One for each master, in slots of their own, which no spec before has had. */
  keys: readonly string[]
  /** A master that has not the key's slot. */
  elsewhere(key: string): Promise<ClusterServer>
}

/** Three masters with a replica each. Its fields are those of the spec that runs, from its own hooks on. */
export function shareSlots(prefix: string): Readonly<SharedSlots> {
  let number = 0
  const shared = {
    elsewhere: async (key: string) => {
      const { cluster } = shared
      await cluster.settled()
      const owner = await cluster.ownerOfKey(key)
      return (await cluster.masters()).find((each) => each !== owner)
    },
  } as SharedSlots

  before(async () => {
    shared.cluster = await startCluster({ masters: 3, replicas: 1 })
  })

  after(() => shared.cluster.stop())

  beforeEach(async () => {
    const { cluster } = shared
    await cluster.settled()
    const flags = { requestTimeoutMs: '30000' }
    shared.ambassador = await startAmbassadorForCluster(cluster.addresses, flags)
    shared.client = await shared.ambassador.connect()
    shared.other = await shared.ambassador.connect()
    number++
    const masters = await cluster.masters()
    shared.keys = await Promise.all(
      masters.map((each) => cluster.keyOn(each, `${prefix}:${number}:`)),
    )
  })

  afterEach(() => shared.ambassador.stop())

  return shared
}
