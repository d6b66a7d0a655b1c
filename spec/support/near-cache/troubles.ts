/** What happens to servers and connections while keys are read and written. */
import { setTimeout as pause } from 'node:timers/promises'
import { connectRaw } from '../raw-client.ts'
import type { RedisServer } from '../redis-server.ts'
import type { History } from './history.ts'

type Trouble = (history: History, redis: RedisServer) => Promise<void>

const TROUBLES: Readonly<Record<string, Trouble>> = {
  SIGSTOP: async ({ random, options }, redis) => {
    await redis.kill('SIGSTOP')
    await pause(random.next() * 3 * options.staleMs)
    await redis.kill('SIGCONT')
  },
  'kill -9': async (history) => {
    await history.alone(async () => {
      // What is under way may be answered by the server before or by its empty heir.
      const versions = history.keys.map((key) => ({ key, version: key.nextAbsent() }))
      await history.countReads()
      for (const redis of history.redises) await redis.restart()
      for (const { key, version } of versions) key.acknowledge(version, undefined)
    })
  },
  'CLIENT KILL': async ({ random }, redis) => {
    const client = await connectRaw(redis.port)
    const list = `${await client.request('CLIENT', 'LIST')}`.split('\n')
    const lines = list.filter((line) => line.includes('id=') && !line.includes('cmd=client|list'))
    for (let i = 0; i < 3 && lines.length > 0; i++) {
      const id = /\bid=(\d+)/.exec(random.pick(lines))?.[1] ?? '0'
      await client.request('CLIENT', 'KILL', 'ID', id)
    }
    await client.close()
  },
  'kill the feed': async (_history, redis) => {
    const client = await connectRaw(redis.port)
    const list = `${await client.request('CLIENT', 'LIST')}`.split('\n')
    for (const line of list.filter(
      (each) => each.includes('resp=3') && each.includes('cmd=ping'),
    )) {
      await client.request('CLIENT', 'KILL', 'ID', /\bid=(\d+)/.exec(line)?.[1] ?? '0')
    }
    await client.close()
  },
  failover: async (history, redis) => {
    await history.alone(async () => {
      const client = await connectRaw(redis.port)
      await client.request('SET', 'beside', 'all that was written before')
      // Without a replica that has it all there is nobody to take over.
      if (`${await client.request('WAIT', '1', '3000')}` === ':1\r\n') {
        await history.failOver(history.redises.indexOf(redis))
      }
      await client.close()
    })
  },
  FLUSHALL: (history) => empty(history, ['FLUSHALL'], async () => {}),
  SWAPDB: async (history) => {
    await emptyAside(history)
    // Redis announces it to nobody: what others have kept goes with the next null.
    await empty(history, ['SWAPDB', '0', '1'], () => emptyAside(history))
  },
}

export async function nextEvent(history: History): Promise<void> {
  const name = history.random.pick(Object.keys(TROUBLES))
  const redis = history.random.pick(history.redises)
  history.count(name)
  await TROUBLES[name]?.(history, redis)
}

/** Database 1 of both servers. */
async function emptyAside({ redises }: History): Promise<void> {
  for (const { port } of redises) {
    const client = await connectRaw(port)
    await client.request('SELECT', '1')
    await client.request('FLUSHDB')
    await client.close()
  }
}

/**
 * All keys are gone when the request, through one of the ambassadors, is answered; `announce` lets those who
 * are behind the other one know.
 */
async function empty(
  history: History,
  request: readonly string[],
  announce: () => Promise<void>,
): Promise<void> {
  const at = history.random.integer(0, 2)
  await history.alone(async () => {
    const client = await history.ambassadors[at]?.connect()
    const versions = history.keys.map((key) => ({ key, version: key.nextAbsent() }))
    const reply = `${await client?.request(...request)}`
    if (reply === '+OK\r\n') {
      for (const { key, version } of versions) key.acknowledgeTo(at, version)
      await announce()
      for (const { key, version } of versions) key.acknowledge(version, at)
    } else {
      for (let key = 0; key < history.keys.length; key++) history.renew(key)
    }
    await client?.close()
  })
}
