/** From a configuration to a cluster: how its nodes are connected to, and who keeps its map. */
import type { ClusterConfig, PoolConfig, ShardConfig } from '../../config/config.ts'
import { reachedAt } from '../../control/cluster/address-map.ts'
import { Belief } from '../../control/cluster/belief.ts'
import { ClusterWatch, type ClusterWatchOptions } from '../../control/cluster/cluster-watch.ts'
import { addressKey, type ServerAddress } from '../../control/server-address.ts'
import { clusterPlace } from '../../credentials/shard-source.ts'
import { nodeAddressOf } from '../../shard-address.ts'
import {
  configureMember,
  type MemberOptions,
  openMember,
  openNobody,
  requestTimeoutMs,
} from '../member.ts'
import { Cluster, type ClusterOptions, type ClusterSettings, type MapSource } from './cluster.ts'

/** The identity of a cluster: the user. Other seeds may lead to the same nodes. */
export function clusterIdentity({ password: _, seeds: __, ...others }: ClusterConfig): string {
  return JSON.stringify(others)
}

export function openCluster(
  config: PoolConfig,
  options: MemberOptions,
  hooks: Pick<ClusterOptions, 'retire' | 'onMasters' | 'onSlots'>,
): Cluster {
  const { turn, lanes } = options
  return new Cluster({
    ...hooks,
    settings: clusterSettings(config, options),
    nobody: openNobody(config, options),
    epochs: options.epochs,
    firstLane: lanes.first,
    turn,
  })
}

export function clusterSettings(config: PoolConfig, options: MemberOptions): ClusterSettings {
  const isTls = config.cluster?.tls === true
  const isProven = isTls && !config.shardTlsInsecure
  const nodeAt = (address: ServerAddress, replicas: readonly ServerAddress[]) => {
    return nodeConfig(address, replicas, isTls, config)
  }
  return {
    open: (...node) => openMember(nodeAt(...node), config, options),
    configure: (member, ...node) => configureMember(member, nodeAt(...node), config, options),
    mapIdentity: JSON.stringify([config.cluster?.seeds, config.addressMap, isProven]),
    openMap: (observer, counts, earlier) => {
      const belief = earlier ?? new Belief({ proven: isProven, now: () => options.turn.now() })
      return openMap(config, options, { observer, counts, belief })
    },
    isProven,
    requestTimeoutMs: requestTimeoutMs(config),
  }
}

function openMap(
  config: PoolConfig,
  { turn, keepers, logger }: MemberOptions,
  parts: Pick<ClusterWatchOptions, 'observer' | 'counts' | 'belief'>,
): MapSource {
  const { cluster } = config
  const keeper = cluster && keepers.for(clusterPlace(cluster), config)
  // Looked at with each connection: those that end are others each time.
  const login = () => keeper?.current ?? cluster
  const mappings = config.addressMap ?? []
  const addressMap = new Map(
    mappings.map(({ announced, reached }) => [addressKey(announced), reached] as const),
  )
  const watch = new ClusterWatch({
    seeds: cluster?.seeds ?? [],
    credentials: {
      get username() {
        return login()?.username
      },
      get password() {
        return login()?.password
      },
    },
    dialled: (address, serverName) => nodeAddressOf(address, serverName, config),
    addressMap,
    refreshMs: config.topologyRefreshMs,
    connectTimeoutMs: config.connectTimeoutMs,
    now: () => turn.now(),
    logger,
    ...parts,
  })
  watch.start()
  return {
    refresh: (cause) => watch.refresh(cause),
    suspect: (address) => watch.suspect(address),
    slotMoved: (slot, to) => watch.slotMoved(slot, to),
    reachedAt: (announced) => reachedAt(addressMap, announced),
    sight: () => ({ view: watch.view, epoch: watch.epoch, missing: watch.missing }),
    belief: parts.belief,
    close: () => watch.close(),
  }
}

/** A node of a cluster as a shard that is called by its address. */
function nodeConfig(
  address: ServerAddress,
  replicas: readonly ServerAddress[],
  tls: boolean,
  { cluster }: PoolConfig,
): ShardConfig {
  return {
    ...address,
    name: addressKey(address),
    path: undefined,
    sentinel: undefined,
    replicas,
    weight: 1,
    database: 0,
    username: cluster?.username,
    password: cluster?.password,
    tls,
  }
}
