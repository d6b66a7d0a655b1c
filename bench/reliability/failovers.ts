/** A master behind Sentinel goes, in three ways, while clients write: what is lost, and for how long. */

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { cleanEnvironment } from '../../spec/support/bin.ts'
import { type Child, startChild } from '../../spec/support/child.ts'
import { freePort } from '../../spec/support/ports.ts'
import { connectRaw, type RawClient } from '../../spec/support/raw-client.ts'
import type { RedisServer } from '../../spec/support/redis-server.ts'
import { type SentinelWorld, startSentinels } from '../../spec/support/sentinels.ts'
import { until } from '../../spec/support/until.ts'
import { judge, together, type Verdict, type Write } from './history.ts'

const WRITERS = 8
const MAYBE = '-ERR ambassador: shard alpha connection lost (may have executed)'
/** Longer than `down-after` and an election. */
const REQUEST_TIMEOUT_MS = 5000
/** By then nothing may reach the old master any more. */
const LEFT_MS = 250
/** How long the old master is then watched: sentinels make it a replica after ten seconds. */
const WATCHED_MS = 3000

/** For so long replicas hear nothing of a master that is then killed: what they lack is lost. */
const LAG_MS = 50

type Way = 'SENTINEL FAILOVER' | 'SIGKILL' | 'SIGSTOP' | 'SIGKILL of one whose replicas lag'

interface Experiment {
  readonly way: Way
  readonly early: boolean
  readonly times: number
}

const EXPERIMENTS: readonly Experiment[] = [
  { way: 'SENTINEL FAILOVER', early: true, times: 5 },
  { way: 'SENTINEL FAILOVER', early: false, times: 1 },
  { way: 'SIGKILL', early: true, times: 3 },
  { way: 'SIGKILL', early: false, times: 1 },
  { way: 'SIGKILL of one whose replicas lag', early: true, times: 1 },
  { way: 'SIGSTOP', early: true, times: 3 },
  { way: 'SIGSTOP', early: false, times: 1 },
]

/** Pushes numbers to a list of its own, one after the other; what it was told is its history. */
class Writer {
  readonly writes: Write[] = []
  readonly list: string
  readonly #client: RawClient
  #stopped = false
  readonly #running: Promise<void>

  constructor(client: RawClient, list: string) {
    this.#client = client
    this.list = list
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    await this.#client.close()
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      const sentMs = Date.now()
      const reply = String(await this.#client.request('RPUSH', this.list, `${number}`)).trimEnd()
      const error = reply.startsWith(':') ? undefined : reply
      this.writes.push({ number, sentMs, repliedMs: Date.now(), error })
    }
  }
}

interface Outcome {
  readonly verdict: Verdict
  /** When the master was told to go, and when the first sentinel announced another. */
  readonly goneMs: number
  readonly announcedMs: number
  /** When the first write was served of those sent after the shard had another server. */
  readonly servedMs: number
  readonly longestMs: number
  /** Writes that reached the old master after LEFT_MS. */
  readonly late: number
}

/** A table in Markdown; takes about three minutes. Throws when a promise was broken. */
export async function failoverTable(print: (row: string) => void): Promise<string> {
  const rows = [
    rowOf([
      ...[
        'What happens to the master',
        '`sentinelEarly`',
        'times',
        'acknowledged',
        'of these lost',
      ],
      ...[
        'failed: `(may have executed)`',
        'other errors',
        'next write served, from +switch-master',
      ],
      ...['longest write', `at the old one later than ${LEFT_MS} ms`],
    ]),
    rowOf(['---', '---', ...Array.from({ length: 8 }, () => '--:')]),
  ]
  for (const row of rows) print(row)
  for (const experiment of EXPERIMENTS) {
    const row = rowOf(await cellsOf(experiment))
    print(row)
    rows.push(row)
  }
  return `${rows.join('\n')}\n`
}

function rowOf(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`
}

async function cellsOf({ way, early, times }: Experiment): Promise<(string | number)[]> {
  const outcomes: Outcome[] = []
  for (let i = 0; i < times; i++) outcomes.push(await once(way, early))
  const { acknowledged, broken, errors } = together(outcomes.map(({ verdict }) => verdict))
  if (broken.length > 0) throw new Error(`broken promises: ${broken.slice(0, 5)}`)
  const all = [...errors].reduce((sum, [, count]) => sum + count, 0)
  const maybe = errors.get(MAYBE) ?? 0
  const late = outcomes.reduce((sum, outcome) => sum + outcome.late, 0)
  return [
    ...[way, early ? 'yes' : 'no', times, acknowledged, lostText(outcomes), maybe, all - maybe],
    rangeText(outcomes.map(({ servedMs, announcedMs }) => servedMs - announcedMs)),
    rangeText(outcomes.map(({ longestMs }) => longestMs)),
    late,
  ]
}

/** How many, and when they had been acknowledged. */
function lostText(outcomes: readonly Outcome[]): string {
  const timesMs = outcomes.flatMap(({ verdict, goneMs }) => {
    return verdict.lost.map(({ repliedMs }) => repliedMs - goneMs)
  })
  if (timesMs.length === 0) return '0'
  return `${timesMs.length}, from ${rangeText(timesMs)} after the signal`
}

function rangeText(numbersMs: readonly number[]): string {
  const least = numbersMs.reduce((one, other) => Math.min(one, other))
  const most = numbersMs.reduce((one, other) => Math.max(one, other))
  return least === most ? `${least} ms` : `${least} to ${most} ms`
}

async function once(way: Way, early: boolean): Promise<Outcome> {
  const world = await startSentinels({ masters: { alpha: 2 } })
  const port = await freePort()
  const child = await startFollowing(port, world, early)
  try {
    return await goThrough(way, world, port, child)
  } finally {
    await child.kill()
    await world.stop()
  }
}

function startFollowing(port: number, world: SentinelWorld, early: boolean): Promise<Child> {
  const options = {
    listen: `127.0.0.1:${port}`,
    'admin-listen': 'off',
    shards: 'alpha=redis+sentinel://alpha',
    sentinels: world.addresses,
    'sentinel-early': early ? 'yes' : 'no',
    'request-timeout-ms': `${REQUEST_TIMEOUT_MS}`,
    'log-format': 'json',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  return startChild({
    command: process.execPath,
    args: [join(packageDirectory(), 'dist', 'bin.js'), ...flags],
    env: cleanEnvironment(),
    ready: { listens: [{ port }] },
  })
}

async function goThrough(
  way: Way,
  world: SentinelWorld,
  port: number,
  child: Child,
): Promise<Outcome> {
  const [old, ...replicas] = world.servers('alpha') as [RedisServer, ...RedisServer[]]
  const announced = await announcements(world)
  const writers: Writer[] = []
  for (let i = 0; i < WRITERS; i++) writers.push(new Writer(await connectRaw(port), `list${i}`))
  await pause(1500)
  const lags = way === 'SIGKILL of one whose replicas lag'
  if (lags) {
    for (const replica of replicas) await replica.kill('SIGSTOP')
    // What has gone out they read when they wake; from here on nothing goes out.
    const client = await connectRaw(old.port)
    await client.request('CLIENT', 'KILL', 'TYPE', 'replica')
    await client.close()
    await pause(LAG_MS)
  }
  const goneMs = Date.now()
  if (way === 'SENTINEL FAILOVER') await world.failOver('alpha')
  else await old.kill(way === 'SIGSTOP' ? way : 'SIGKILL')
  if (lags) for (const replica of replicas) await replica.kill('SIGCONT')
  await until(() => announced.length > 0 && movesIn(child).length > 1, 5)
  await pause(Math.max(0, (announced[0] ?? 0) + LEFT_MS - Date.now()))
  // A dead master comes back, a hanging one wakes up and does what it had been sent: both call themselves masters.
  if (way === 'SIGSTOP') await old.kill('SIGCONT')
  else if (way !== 'SENTINEL FAILOVER') await old.restart()
  await pause(LEFT_MS)
  const before = await pushes(old)
  await pause(WATCHED_MS)
  const late = (await pushes(old)) - before
  for (const writer of writers) await writer.stop()
  const movedMs = movesIn(child)[1] ?? 0
  const heir = await world.masterPort('alpha', 0)
  const verdicts = await Promise.all(
    writers.map(async ({ writes, list }) => judge(writes, await numbersIn(heir, list))),
  )
  const writes = writers.flatMap((writer) => writer.writes)
  const served = writes.filter(({ sentMs, error }) => sentMs >= movedMs && error === undefined)
  return {
    verdict: together(verdicts),
    goneMs,
    announcedMs: announced[0] ?? 0,
    servedMs: served.reduce((least, each) => Math.min(least, each.repliedMs), Infinity),
    longestMs: writes.reduce((most, each) => Math.max(most, each.repliedMs - each.sentMs), 0),
    late,
  }
}

/** When which sentinel publishes +switch-master: grows as they do. */
async function announcements(world: SentinelWorld): Promise<number[]> {
  const timesMs: number[] = []
  for (const { port } of world.sentinels) {
    const listener = await connectRaw(port)
    await listener.request('SUBSCRIBE', '+switch-master')
    listener.reply().then(
      () => timesMs.push(Date.now()),
      () => {},
    )
  }
  return timesMs
}

/** When the shard was given a server: the first time at the start. */
function movesIn({ output }: Child): number[] {
  const lines = output.split('\n').filter((line) => line.includes('shard has another server'))
  return lines.map((line) => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? ''))
}

/** How many RPUSH a server has executed. Meaningful only while it is no replica. */
async function pushes({ port }: RedisServer): Promise<number> {
  const client = await connectRaw(port)
  const role = String(await client.request('ROLE'))
  const text = String(await client.request('INFO', 'commandstats'))
  await client.close()
  if (!role.includes('master')) throw new Error('the old master was made a replica too soon')
  return Number(/cmdstat_rpush:calls=(\d+)/.exec(text)?.[1] ?? 0)
}

async function numbersIn(port: number, list: string): Promise<number[]> {
  const client = await connectRaw(port)
  const reply = String(await client.request('LRANGE', list, '0', '-1'))
  await client.close()
  return [...reply.matchAll(/\r\n\$\d+\r\n(\d+)/g)].map(([, number]) => Number(number))
}
