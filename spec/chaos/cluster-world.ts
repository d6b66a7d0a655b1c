/**
 * A Redis Cluster of three masters and their replicas: slots move key by key under the requests for them,
 * masters hand over, hang until they are replaced, and die. Replication is asynchronous: what a master
 * acknowledged just before it was lost may be lost with it, which is counted and no violation.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Cluster, startCluster } from '../support/cluster.ts'
import type { ClusterServer } from '../support/cluster-server.ts'
import type { Random } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import type { Losses, Report, Tokens } from './history.ts'
import { type ChaosWorld, words } from './world.ts'

const NODE_TIMEOUT_MS = 1500
/** Some requests wait for the heir of their master within it, and some do not. */
const REQUEST_TIMEOUT_MS = 3000

/** Errors of nodes that no client may see: I15. */
const SAID_BY_NODES = /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|CROSSSLOT|READONLY|LOADING|MASTERDOWN)\b/

type Deed = (
  cluster: Cluster,
  master: ClusterServer,
  random: Random,
  losses: Losses,
) => Promise<void>

const DEEDS: Readonly<Record<string, Deed>> = {
  'move a slot': async (cluster, _master, random) => {
    const { slot, to } = await someMove(cluster, random)
    const open = await cluster.openSlot(slot, to)
    await open.moveKeys(1)
    await pause(random.integer(0, 60))
    await open.finish()
  },
  'open a slot, and close it': async (cluster, _master, random) => {
    const { slot, to } = await someMove(cluster, random)
    const open = await cluster.openSlot(slot, to)
    await pause(random.integer(0, 60))
    // Requests that were sent on by ASK have made keys there.
    await open.finish()
  },
  'move ten slots': async (cluster, _master, random) => {
    for (let i = 0; i < 10; i++) {
      const { slot, to } = await someMove(cluster, random)
      await cluster.moveSlot(slot, to)
      // Who has not heard of it would name the old owner next.
      await cluster.settled()
    }
  },
  'hand over': async (cluster, master) => {
    await cluster.failOver(master)
  },
  kill: async (cluster, master, random, losses) => {
    const replicas = await cluster.replicasOf(master)
    losses.begin()
    await master.kill('SIGKILL')
    await cluster.untilReplaced(master, replicas)
    await pause(random.integer(0, 500))
    await master.start()
  },
  'cut off until replaced': async (cluster, master, random, losses) => {
    const replicas = await cluster.replicasOf(master)
    losses.begin()
    await master.kill('SIGSTOP')
    await cluster.untilReplaced(master, replicas)
    await pause(random.integer(0, 500))
    await master.kill('SIGCONT')
  },
  stop: async (cluster, master, random, losses) => {
    // On a busy machine it lasts long enough for the others to replace it, now or when it is back already.
    const end = losses.begin()
    await master.kill('SIGSTOP')
    await pause(random.integer(50, NODE_TIMEOUT_MS / 2))
    await master.kill('SIGCONT')
    await cluster.settled()
    end()
  },
  'kill connections': async (_cluster, master) => {
    await tell(master, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  },
  'pause clients': async (_cluster, master, random) => {
    await tell(master, 'CLIENT', 'PAUSE', String(random.integer(50, 400)), 'WRITE')
  },
}

export async function startClusterWorld(report: Report): Promise<ChaosWorld> {
  const cluster = await startCluster({ replicas: 1, nodeTimeoutMs: NODE_TIMEOUT_MS })
  return {
    shards: `redis+cluster://${cluster.addresses}`,
    flags: ['--request-timeout-ms', String(REQUEST_TIMEOUT_MS)],
    torment: (random, stopped) => torment(cluster, random, report, stopped),
    check: (tokens, report) => checkContents(cluster, tokens, report),
    stop: () => cluster.stop(),
  }
}

async function torment(
  cluster: Cluster,
  random: Random,
  report: Report,
  stopped: () => boolean,
): Promise<Map<string, number>> {
  const done = new Map<string, number>()
  while (!stopped()) {
    const [name, deed] = random.pick(Object.entries(DEEDS))
    const master = random.pick(await cluster.masters())
    report.deed(`${name} (${master.address})`)
    await deed(cluster, master, random, report.losses)
    report.deed(`after ${name} (${master.address})`)
    done.set(name, (done.get(name) ?? 0) + 1)
    await pause(random.integer(20, 250))
    // The next deed is done to a cluster that is whole: two masters lost at once are nobody's to survive.
    await cluster.settled()
  }
  return done
}

/** A slot that has keys of the workload, and a master that does not own it. */
async function someMove(
  cluster: Cluster,
  random: Random,
): Promise<{ slot: number; to: ClusterServer }> {
  const isLog = random.integer(0, 3) === 0
  const key = isLog
    ? `log:${random.integer(0, 8)}`
    : `c${random.integer(0, 8)}:k${random.integer(0, 12)}`
  const slot = await cluster.slotOf(key)
  const owner = await cluster.ownerOf(slot)
  const others = (await cluster.masters()).filter((each) => each !== owner)
  return { slot, to: random.pick(others) }
}

/** Over a connection of its own, which may be killed. */
async function tell(server: ClusterServer, ...args: string[]): Promise<void> {
  const client = await connectRaw(server.port)
  await client.request(...args)
  await client.close()
}

async function checkContents(cluster: Cluster, tokens: Tokens, report: Report): Promise<void> {
  await cluster.settled()
  const found: string[] = []
  for (const master of await cluster.masters()) {
    const client = await connectRaw(master.port)
    for (const key of words(await client.request('KEYS', '*'))) {
      if ((await cluster.ownerOfKey(key)) !== master) {
        report.violated(`I6: key ${key} is at ${master.address}`)
      }
      if (!key.startsWith('log:')) continue
      for (const token of words(await client.request('LRANGE', key, '0', '-1'))) found.push(token)
    }
    await client.close()
  }
  for (const violation of tokens.violations(found, report)) report.violated(violation)
  for (const error of report.errors.keys()) {
    if (SAID_BY_NODES.test(error)) report.violated(`I15: a client was told ${error}`)
  }
}
