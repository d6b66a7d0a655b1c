/** Does to shards what machines and networks do to them, one thing after the other. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import type { Chopper } from './chopper.ts'

export interface Victims {
  readonly redises: readonly RedisServer[]
  /** The last shard is reached through it. */
  readonly chopper: Chopper
}

type Deed = (victims: Victims, redis: RedisServer, random: Random) => Promise<void>

const DEEDS: Readonly<Record<string, Deed>> = {
  kill: async (_victims, redis, random) => {
    await redis.kill('SIGKILL')
    await pause(random.integer(0, 300))
    await redis.restart()
  },
  stop: async (_victims, redis, random) => {
    await redis.kill('SIGSTOP')
    await pause(random.integer(50, 1200))
    await redis.kill('SIGCONT')
  },
  'kill connections': async (_victims, redis) => {
    await tell(redis, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  },
  'pause clients': async (_victims, redis, random) => {
    await tell(redis, 'CLIENT', 'PAUSE', String(random.integer(50, 400)), 'ALL')
  },
  chop: async ({ chopper }, _redis, random) => {
    chopper.chop(random.integer(1, 40), random.integer(0, 4))
    await pause(random.integer(100, 600))
    chopper.chop(Number.POSITIVE_INFINITY, 0)
  },
  cut: async ({ chopper }) => chopper.cut(),
  'drop scripts': async (_victims, redis) => tell(redis, 'SCRIPT', 'FLUSH'),
}

async function tell(redis: RedisServer, ...args: string[]): Promise<void> {
  const client = await connectRaw(redis.port)
  await client.request(...args)
  await client.close()
}

/** Torments the victims until `stopped`; returns how often it did what. */
export async function torment(
  victims: Victims,
  random: Random,
  stopped: () => boolean,
): Promise<Map<string, number>> {
  const done = new Map<string, number>()
  while (!stopped()) {
    const [name, deed] = random.pick(Object.entries(DEEDS))
    await deed(victims, random.pick(victims.redises), random)
    done.set(name, (done.get(name) ?? 0) + 1)
    await pause(random.integer(20, 250))
  }
  return done
}
