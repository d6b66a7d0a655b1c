/**
 * `npm run bench:cluster`: what a Redis Cluster costs. CPU time per request of the ambassador before three masters
 * over that before three plain shards on a ring, of one build, in turns, on a core of its own. The keys are absent.
 */
import { parseArgs } from 'node:util'
import { packageDirectory } from '../lib/config/package-directory.ts'
import { startCluster } from '../spec/support/cluster.ts'
import { startRedis } from '../spec/support/redis-server.ts'
import { leaveCoreToMeasured } from './cores.ts'
import { compareInTurns } from './in-turns.ts'
import { SHARD_NAMES, startBuild } from './targets.ts'

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '7' },
  },
})

/** The machine may be busy, and no master fails here. */
const NODE_TIMEOUT_MS = 30_000

async function main(): Promise<void> {
  // What specs start keeps no process alive.
  const awake = setInterval(() => {}, NODE_TIMEOUT_MS)
  const onItsCore = leaveCoreToMeasured()
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  const cluster = await startCluster({ masters: shards.length, nodeTimeoutMs: NODE_TIMEOUT_MS })
  const buildWith = (variables: NodeJS.ProcessEnv) =>
    startBuild(packageDirectory(), process.execPath, shards, variables, onItsCore)
  const slots = {
    AMBASSADOR_SHARDS: `redis+cluster://127.0.0.1:${cluster.servers[0]?.port}`,
    // Of a ring alone.
    AMBASSADOR_HASH: undefined,
    AMBASSADOR_DISTRIBUTION: undefined,
    AMBASSADOR_HASH_TAG: undefined,
  }
  const turns = { starts: Number(values.starts), pairs: Number(values.pairs) }
  await compareInTurns(async () => [await buildWith({}), await buildWith(slots)], turns)
  clearInterval(awake)
  await cluster.stop()
  for (const shard of shards) await shard.stop()
}

await main()
