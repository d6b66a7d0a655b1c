/** What all specs of a `describe` share: servers alone, or servers and an ambassador, emptied before each spec. */
import { type AmbassadorUnderTest, type ShardsUnderTest, startShards } from './ambassador.ts'
import { startCluster } from './cluster.ts'
import { startAmbassadorForCluster } from './cluster-ambassador.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

/** What stands behind an ambassador whose clients must not see a difference. */
export const TOPOLOGIES = ['three shards', 'a cluster of three masters'] as const

export type TopologyName = (typeof TOPOLOGIES)[number]

type Flags = Readonly<Record<string, string>>

/** What is started for it. `redises`: those that have the keys. */
export function startTopology(
  name: TopologyName,
  flags: Readonly<Record<string, string>> = {},
  redisArgs: readonly string[] = [],
): Promise<TopologyUnderTest> {
  return name === 'three shards'
    ? startShards(3, flags, redisArgs)
    : startClusterTopology(flags, redisArgs)
}

export interface TopologyUnderTest {
  readonly redises: readonly { readonly port: number }[]
  readonly ambassador: AmbassadorUnderTest
  stop(): Promise<void>
}

async function startClusterTopology(
  flags: Readonly<Record<string, string>>,
  serverArgs: readonly string[],
): Promise<TopologyUnderTest> {
  const cluster = await startCluster({ serverArgs })
  const ambassador = await startAmbassadorForCluster(cluster.addresses, flags)
  async function stop(): Promise<void> {
    try {
      await ambassador.stop()
    } finally {
      await cluster.stop()
    }
  }
  return { redises: cluster.servers, ambassador, stop }
}

/** What the specs of a `describe` share. It can be asked for from the first hook on. */
export type Shared<Started extends TopologyUnderTest> = Pick<Started, 'redises' | 'ambassador'>

/**
 * For a `describe`: starts a number of Redis servers, or a topology, and an ambassador in front of them before its
 * specs, empties them before each, and stops them after the last. Fails a spec that leaves something under way.
 */
export function shareShards(
  count: number,
  flags?: Flags,
  redisArgs?: readonly string[],
): Shared<ShardsUnderTest>
export function shareShards(what: number | TopologyName, flags?: Flags): Shared<TopologyUnderTest>
export function shareShards(
  what: number | TopologyName,
  flags: Flags = {},
  redisArgs: readonly string[] = [],
): Shared<TopologyUnderTest> {
  let shards: TopologyUnderTest

  before(async () => {
    shards = await (typeof what === 'number'
      ? startShards(what, flags, redisArgs)
      : startTopology(what, flags, redisArgs))
  })

  beforeEach(async () => {
    const client = await shards.ambassador.connect()
    await client.request('FLUSHALL')
    await client.close()
  })

  afterEach(() => shards.ambassador.quiet())
  after(() => shards.stop())
  return {
    get redises() {
      return shards.redises
    },
    get ambassador() {
      return shards.ambassador
    },
  }
}

/** For a `describe`: an ambassador in front of new Redis servers for each of its specs, which may kill them. */
export function shardsForEach(count: number, flags: Flags = {}): Shared<ShardsUnderTest> {
  let shards: ShardsUnderTest

  beforeEach(async () => {
    shards = await startShards(count, flags)
  })

  afterEach(() => shards.stop())
  return {
    get redises() {
      return shards.redises
    },
    get ambassador() {
      return shards.ambassador
    },
  }
}

/**
 * For a `describe`: Redis servers that run from before its specs until after the last. They keep their keys from spec
 * to spec. The result is empty until the first hook.
 */
export function shareRedises(count: number, args: readonly string[] = []): readonly RedisServer[] {
  const redises: RedisServer[] = []
  before(async () => {
    while (redises.length < count) redises.push(await startRedis({ args }))
  })
  after(async () => {
    for (const redis of redises.splice(0)) await redis.stop()
  })
  return redises
}
