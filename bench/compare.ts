/**
 * `npm run bench:compare -- OLD_DIRECTORY NEW_DIRECTORY`: what a change costs. CPU time per request of
 * two builds of the ambassador over the same three shards, in turns. The builds run on a core of their own, all
 * else on the others.
 */
import { parseArgs } from 'node:util'
import { startRedis } from '../spec/support/redis-server.ts'
import { leaveCoreToMeasured } from './cores.ts'
import { compareInTurns } from './in-turns.ts'
import { SHARD_NAMES, startBuild } from './targets.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    starts: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '7' },
  },
})

async function main(): Promise<void> {
  const [before, after] = positionals
  if (before === undefined || after === undefined) {
    throw new Error('which two builds? npm run bench:compare -- OLD_DIRECTORY NEW_DIRECTORY')
  }
  const onItsCore = leaveCoreToMeasured()
  const shards = await Promise.all(SHARD_NAMES.map(() => startRedis()))
  const buildIn = (directory: string) =>
    startBuild(directory, process.execPath, shards, {}, onItsCore)
  const turns = { starts: Number(values.starts), pairs: Number(values.pairs) }
  await compareInTurns(async () => [await buildIn(before), await buildIn(after)], turns)
  for (const shard of shards) await shard.stop()
}

await main()
