/**
 * How many clients the limit of open files allows. Beyond it the kernel would refuse not only
 * clients but our own connections to shards, so that a flood of clients looked like shards that are
 * down.
 */
import { readFileSync } from 'node:fs'
import type { Config } from '../../config/config.ts'
import { ConfigError } from '../../errors.ts'
import { ADMIN_CONNECTIONS_BURST_MAX, DESCRIPTORS_OWN, LEASES_MAX } from '../../limits.ts'

/** RESP2 and RESP3: the lanes that clients nearly always use. */
const LANES_USUAL = 2

/** Connections to a shard besides: for subscriptions, and for asking it about its commands. */
const PER_SHARD_OTHERS = 2

/**
 * The limit of this process; undefined where the system does not tell (it is no Linux). Node itself
 * has already raised the soft limit as far as it may.
 */
export function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    const [, soft] = /^Max open files +(\d+)/m.exec(limits) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/**
 * The configuration with as many clients as fit, and a note if these are fewer than asked for.
 * Throws ConfigError when there would be none.
 */
export function withinDescriptors(config: Config, limit: number | undefined): Config {
  if (limit === undefined) return config
  const { maxClients } = config.edge
  const ofPools = [...config.pools, ...config.mirrors].map(({ shards, connectionsPerShard }) => {
    return shards.length * (connectionsPerShard * LANES_USUAL + PER_SHARD_OTHERS)
  })
  // A probe that finds no descriptor would have a healthy process restarted.
  const admin = config.watch.adminListen === 'off' ? 0 : ADMIN_CONNECTIONS_BURST_MAX
  const reserved = ofPools.reduce((sum, files) => sum + files, DESCRIPTORS_OWN + admin)
  const { process } = config
  const { workers } = process
  // The limit is that of one process.
  const fitting = clientsWithin(limit - reserved) * workers
  if (fitting >= maxClients) return config
  const files = `the limit of open files is ${limit}, of which ${reserved} are needed for shards and for us`
  if (fitting < 1) throw new ConfigError([`${files}: no client could connect; raise ulimit -n`])
  const ofOne = Math.ceil(maxClients / workers)
  const enough = reserved + ofOne + Math.min(ofOne, LEASES_MAX)
  const note = `${files}: maxClients is ${fitting} instead of ${maxClients}; ulimit -n ${enough} would do`
  return Object.freeze({
    ...config,
    edge: Object.freeze({ ...config.edge, maxClients: fitting }),
    process: Object.freeze({ ...process, notes: Object.freeze([...process.notes, note]) }),
  })
}

/**
 * Each client has a connection of its own and, while it blocks or is in a transaction, a dedicated
 * one to a shard. The number of dedicated ones is bounded for each shard.
 */
function clientsWithin(descriptors: number): number {
  return Math.max(Math.floor(descriptors / 2), descriptors - LEASES_MAX)
}
