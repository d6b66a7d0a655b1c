/** What a configuration reads from replicas: which shards, and by what rules. */
import type { PoolConfig } from '../config/config.ts'
import type { SpecialCommands } from '../dispatcher/core/dispatcher.ts'
import type { Sender, SenderOptions, Target } from '../dispatcher/core/sender.ts'
import { MovingReads } from '../dispatcher/reads/moving-reads.ts'
import { ReplicaReads, readersOver } from '../dispatcher/reads/replica-reads.ts'
import { requestTimeoutMs } from '../pool/member.ts'
import type { Pools } from '../pool/pools.ts'
import { Reader, type ReadingNow } from '../upstream/replicas/reader.ts'
import type { ReplicasView } from '../upstream/replicas/replicas-view.ts'
import type { Shard } from '../upstream/shard.ts'
import type { Shared } from './shared.ts'

/** Undefined where all is read from the masters, so that such a configuration pays nothing. */
export function replicaReadsOf(
  viewed: readonly PoolConfig[],
  { pools, turn }: Shared,
  sending: SenderOptions,
  sender: Sender,
  specialReadsOver: (readers: Sender<Target>) => SpecialCommands,
): ReplicaReads | undefined {
  const now: ReadingNow = { session: undefined, certainty: undefined, keyCount: 0 }
  const nowMs = () => turn.now()
  const read = viewed.filter(({ readFrom }) => readFrom !== 'master')
  if (read.length === 0) return undefined
  const readerOf = readersOf(read, pools, now, nowMs)
  const { topology, moving } = sending
  const way = moving && new MovingReads({ moving, topology, readerOf, now, nowMs })
  const readers = readersOver({ ...sending, sending: way }, (shard) => readerOf(shard) ?? shard)
  const specialReads = specialReadsOver(readers)
  return new ReplicaReads({
    sender,
    readers,
    specialReads,
    now,
    moves: moving !== undefined,
    nowMs,
  })
}

/** The masters of a cluster come and go, and so do what stands before them and their replicas. */
function readersOf(
  viewed: readonly PoolConfig[],
  pools: Pools,
  now: ReadingNow,
  nowMs: () => number,
): (shard: Shard) => Reader | undefined {
  const configs = new Map(viewed.map((config) => [config.name, config]))
  const known = new WeakMap<ReplicasView, Reader>()
  return (master) => {
    const { replicas } = master
    const reader = replicas && known.get(replicas)
    if (replicas === undefined || reader !== undefined) return reader
    const config = configs.get(master.pool)
    const set = pools.named(master.pool)?.replicasOf(master)
    if (set === undefined || config === undefined || config.readFrom === 'master') return undefined
    const { readFrom: policy, readAfterWriteMs, zone } = config
    const times = { readAfterWriteMs, requestTimeoutMs: requestTimeoutMs(config), now: nowMs }
    const made = new Reader({ master, set, policy, zone, ...times }, now)
    known.set(replicas, made)
    return made
  }
}
