/** Asks a Redis Cluster and each of its nodes about themselves, from where the ambassador runs. */
import type { ClusterConfig, PoolConfig } from '../../config/config.ts'
import { type FirstMap, readFirstMap } from '../../control/cluster/first-map.ts'
import { type NodeLine, readNodes } from '../../control/cluster/nodes-reply.ts'
import type { ClusterView, NodeAddress } from '../../control/cluster/view.ts'
import { openControl, type RedisClient } from '../../control/ioredis.ts'
import { addressKey } from '../../control/server-address.ts'
import { errorText } from '../../errors.ts'
import { DOCTOR_STEP_MS_MAX } from '../../limits.ts'
import { nodeAddressOf } from '../../shard-address.ts'

/** One node, asked. */
export interface NodeLook {
  readonly address: NodeAddress
  readonly isMaster: boolean
  /** Its own line of CLUSTER NODES; undefined where it does not tell. */
  readonly self: NodeLine | undefined
  /** `ok` or `fail`; undefined where it does not tell. */
  readonly state: string | undefined
  /** The settings by name, as CONFIG GET has them; empty where that is refused. */
  readonly settings: ReadonlyMap<string, string>
  /** Why it cannot be asked; undefined when it can. Safe to show. */
  readonly trouble: string | undefined
}

export interface ClusterLook extends FirstMap {
  readonly nodes: readonly NodeLook[]
}

export async function lookAtCluster(
  cluster: ClusterConfig,
  pool: PoolConfig,
): Promise<ClusterLook> {
  const map = await clusterMapOf(cluster, pool)
  const nodes = map.view === undefined ? [] : await askAll(map.view, cluster, pool)
  return { ...map, nodes }
}

/** The map from the first seed that answers. */
export function clusterMapOf(cluster: ClusterConfig, pool: PoolConfig): Promise<FirstMap> {
  const { username, password, seeds } = cluster
  const options = {
    credentials: { username, password },
    dialled: (address: NodeAddress, serverName: string | undefined) => {
      return nodeAddressOf(address, serverName, pool)
    },
    addressMap: new Map(
      (pool.addressMap ?? []).map(({ announced, reached }) => [addressKey(announced), reached]),
    ),
    now: () => performance.now(),
  }
  return readFirstMap(seeds, options, stepMs(pool))
}

function stepMs({ connectTimeoutMs }: PoolConfig): number {
  return Math.min(connectTimeoutMs, DOCTOR_STEP_MS_MAX)
}

function askAll(view: ClusterView, cluster: ClusterConfig, pool: PoolConfig): Promise<NodeLook[]> {
  return Promise.all(
    view.nodes.flatMap(({ address, replicas }) => [
      askNode(address, true, cluster, pool),
      ...replicas.map((replica) => askNode(replica, false, cluster, pool)),
    ]),
  )
}

async function askNode(
  address: NodeAddress,
  isMaster: boolean,
  { username, password }: ClusterConfig,
  pool: PoolConfig,
): Promise<NodeLook> {
  const timeoutMs = stepMs(pool)
  const place = nodeAddressOf(address, undefined, pool)
  const client = openControl(place, { username, password, timeoutMs })
  let first: Error | undefined
  client.on('error', (error: Error) => {
    first ??= error
  })
  try {
    // Alone and first: after a failure nothing else is asked over a connection that is being
    // closed.
    const info = String(await client.call('CLUSTER', 'INFO'))
    const lines = await client.call('CLUSTER', 'NODES').then(String, () => '')
    const [, state] = /^cluster_state:(\w+)/m.exec(info) ?? []
    const self = readNodes(lines).find(({ flags }) => flags.includes('myself'))
    const settings = new Map([
      ...(await settingsOf(client, 'cluster-node-timeout')),
      ...(await settingsOf(client, 'cluster-require-full-coverage')),
    ])
    return { address, isMaster, self, state, settings, trouble: undefined }
  } catch (error) {
    const { message } = first ?? (error as Error)
    const trouble = errorText(message)
    return { address, isMaster, self: undefined, state: undefined, settings: new Map(), trouble }
  } finally {
    client.disconnect()
  }
}

/** Managed services refuse CONFIG. */
async function settingsOf(client: RedisClient, name: string): Promise<[string, string][]> {
  const reply = await client.call('CONFIG', 'GET', name).catch(() => undefined)
  return Array.isArray(reply) && reply.length === 2 ? [[String(reply[0]), String(reply[1])]] : []
}
