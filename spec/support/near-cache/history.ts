/**
 * Readers and writers of the same keys through two ambassadors with near-caches, over ways that delay every
 * connection by itself, while connections are cut, servers stop and die, and databases are emptied and swapped.
 * Every read is judged by what its reader had a right to see.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../ambassador.ts'
import { encodeRequest } from '../frames.ts'
import { createRandom, type Random } from '../random.ts'
import { connectRaw, type RawClient } from '../raw-client.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { DelayingRelay } from './delaying-relay.ts'
import { nextEvent } from './troubles.ts'
import { Versions } from './versions.ts'
import { write } from './writer.ts'

export interface HistoryOptions {
  readonly seed: number
  readonly reads: number
  /** Most that a chunk is late, milliseconds. */
  readonly delayMs: number
  readonly staleMs: number
  /** Between two troubles, milliseconds; 0: there are none. */
  readonly troubleEveryMs: number
}

const KEYS = 40
/** One key in so many is a list. */
const LIST_EVERY = 5
/** A key is written after so long, on average milliseconds. */
const WRITE_EVERY_MS = 120
const READERS = 12
const DEPTHS = [1, 4, 16]
const LIST_COMMAND = ['LINDEX', '0'] as const
const COMMANDS = [['GET'], ['GETRANGE', '0', '-1'], ['MGET']] as const

export class History {
  readonly options: HistoryOptions
  readonly random: Random
  readonly lies: string[] = []
  readonly events = new Map<string, number>()
  reads = 0
  failed = 0
  writes = 0
  /** GET, GETRANGE, MGET and LINDEX that servers have executed, as far as they have lived to tell. */
  askedOfShards = 0
  /** Keys read whose values came from memory, or from a read of somebody else on its way. */
  fromMemory = 0
  /** The master of each shard, and its replica. */
  redises: RedisServer[] = []
  replicas: RedisServer[] = []
  ambassadors: AmbassadorUnderTest[] = []
  keys: Versions[] = []
  #relays: DelayingRelay[] = []
  #names = 0
  #isOver = false
  /** Writers wait while it is set. */
  #gate: Promise<void> | undefined
  #writing = 0

  constructor(options: HistoryOptions) {
    this.options = options
    this.random = createRandom(options.seed)
  }

  async run(): Promise<void> {
    await this.#start()
    try {
      const writers = this.keys.map((_, at) => this.#write(at))
      const troubles = this.options.troubleEveryMs > 0 ? [this.#trouble()] : []
      await Promise.all(Array.from({ length: READERS }, (_, at) => this.#read(at)))
      this.#isOver = true
      await Promise.all([...writers, ...troubles])
      await this.countReads()
      for (const ambassador of this.ambassadors) await this.#countHits(ambassador)
    } finally {
      await this.#stop()
    }
  }

  /** A key of which nothing is known takes the place of one whose last write may be done or not. */
  renew(at: number): void {
    const isList = at % LIST_EVERY === LIST_EVERY - 1
    this.keys[at] = new Versions(`near:{${at}.${this.#names++}}`, isList)
  }

  count(event: string): void {
    this.events.set(event, (this.events.get(event) ?? 0) + 1)
  }

  /** Nobody writes while `act` runs. */
  async alone(act: () => Promise<void>): Promise<void> {
    let open = (): void => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    try {
      while (this.#writing > 0) await pause(1)
      await act()
    } finally {
      this.#gate = undefined
      open()
    }
  }

  async #start(): Promise<void> {
    const { delayMs, staleMs } = this.options
    this.redises = await Promise.all([startRedis(SLOW_EXPIRY), startRedis(SLOW_EXPIRY)])
    this.replicas = await Promise.all([startRedis(SLOW_EXPIRY), startRedis(SLOW_EXPIRY)])
    await this.#follow()
    for (let i = 0; i < 2; i++) {
      const relays = await Promise.all(
        this.redises.map(({ port }) =>
          DelayingRelay.start(port, () => this.random.next() * delayMs),
        ),
      )
      this.#relays.push(...relays)
      const flags = {
        nearCacheKeys: 'near:',
        nearCacheStaleMs: `${staleMs}`,
        requestTimeoutMs: '3000',
      }
      this.ambassadors.push(await startAmbassadorFor(relays, flags))
    }
    for (let at = 0; at < KEYS; at++) this.renew(at)
  }

  async #stop(): Promise<void> {
    for (const ambassador of this.ambassadors) await ambassador.stop()
    for (const relay of this.#relays) await relay.stop()
    for (const redis of [...this.redises, ...this.replicas]) await redis.stop()
  }

  async #countHits(ambassador: AmbassadorUnderTest): Promise<void> {
    const client = await ambassador.connect()
    const facts = `${await client.request('AMBASSADOR', 'STATS')}`
    for (const [, count] of facts.matchAll(/near_cache_(?:hits|joined)\r\n:(\d+)/g)) {
      this.fromMemory += Number(count)
    }
    await client.close()
  }

  /** The master of the shard and its replica change places, as after a failover by name. */
  async failOver(shard: number): Promise<void> {
    const [master, replica] = [this.redises[shard], this.replicas[shard]]
    if (master === undefined || replica === undefined) return
    await this.countReads()
    this.redises[shard] = replica
    this.replicas[shard] = master
    await this.#follow()
    for (const [at, relay] of this.#relays.entries()) {
      if (at % this.redises.length === shard) relay.lead(replica.port)
    }
  }

  /** Makes each master one, and each replica its own. */
  async #follow(): Promise<void> {
    for (const [shard, { port }] of this.redises.entries()) {
      const master = await connectRaw(port)
      await master.request('REPLICAOF', 'NO', 'ONE')
      await master.close()
      const replica = await connectRaw(this.replicas[shard]?.port ?? 0)
      await replica.request('REPLICAOF', '127.0.0.1', `${port}`)
      await replica.close()
    }
  }

  /** Before they go, and forget what they have counted. */
  async countReads(): Promise<void> {
    for (const { port } of this.redises) {
      const client = await connectRaw(port)
      const stats = `${await client.request('INFO', 'commandstats')}`
      for (const [, calls] of stats.matchAll(/cmdstat_(?:m?get|getrange|lindex):calls=(\d+)/g)) {
        this.askedOfShards += Number(calls)
      }
      await client.close()
    }
  }

  async #write(at: number): Promise<void> {
    const clients = new Map<string, RawClient>()
    while (!this.#isOver) {
      await pause(this.random.integer(0, 2 * WRITE_EVERY_MS))
      while (this.#gate !== undefined) await this.#gate
      this.#writing++
      try {
        await write(this, at, clients)
        this.writes++
      } catch {
        this.renew(at)
        for (const client of clients.values()) client.socket.destroy()
        clients.clear()
      } finally {
        this.#writing--
      }
    }
    for (const client of clients.values()) await client.close()
  }

  async #trouble(): Promise<void> {
    while (!this.#isOver) {
      await pause(this.random.next() * 2 * this.options.troubleEveryMs)
      await nextEvent(this)
    }
  }

  async #read(reader: number): Promise<void> {
    const ambassador = reader % 2
    const protocol = reader % 4 < 2 ? 2 : 3
    const depth = DEPTHS[reader % DEPTHS.length] as number
    const under = this.ambassadors[ambassador] as AmbassadorUnderTest
    /** By command and key. */
    const seen = new Map<string, number>()
    let client = await under.connect(protocol)
    while (this.reads < this.options.reads) {
      try {
        await this.#readOnce(client, ambassador, depth, seen)
      } catch {
        await client.close()
        client = await under.connect(protocol)
      }
    }
    await client.close()
  }

  async #readOnce(
    client: RawClient,
    ambassador: number,
    depth: number,
    seen: Map<string, number>,
  ): Promise<void> {
    const asked = Array.from({ length: depth }, () => this.#question(ambassador))
    client.write(Buffer.concat(asked.map(({ frame }) => frame)))
    for (const { keys, command } of asked) {
      const reply = `${await client.reply()}`
      if (reply.startsWith('-')) {
        this.failed++
        continue
      }
      const values = command === 'MGET' ? elementsOf(reply) : [numberIn(reply)]
      for (const [at, { key, floors }] of keys.entries()) {
        this.reads++
        const id = `${command} ${key.name}`
        const { version, lie } = key.judge(values[at], floors, seen.get(id) ?? 0)
        if (lie !== undefined) this.lies.push(`${command}: ${lie}`)
        else seen.set(id, version)
      }
    }
  }

  /** Some keys are read far more often than others. */
  #anyKey(): Versions {
    return this.keys[Math.floor(this.keys.length * this.random.next() ** 2)] as Versions
  }

  #question(ambassador: number) {
    const first = this.#anyKey()
    const [command, ...rest] = first.isList ? LIST_COMMAND : this.random.pick(COMMANDS)
    const count = command === 'MGET' ? this.random.integer(1, 5) : 1
    const others = Array.from({ length: count - 1 }, () => this.#anyKey())
    const keys = [first, ...others.filter(({ isList }) => !isList)].map((key) => {
      return { key, floors: key.floors(ambassador, this.options.staleMs) }
    })
    const frame = encodeRequest(command, ...keys.map(({ key }) => key.name), ...rest)
    return { keys, command, frame }
  }
}

/** The number in a reply to GET, undefined for none. */
export function numberIn(reply: string): number | undefined {
  const text = reply.split('\r\n')[1] ?? ''
  return text === '' ? undefined : Number(text)
}

/** The numbers in a reply to MGET. */
export function elementsOf(reply: string): (number | undefined)[] {
  const elements = reply.match(/(?:\$-1|_|\$\d+\r\n\d+)\r\n/g) ?? []
  return elements.map(numberIn)
}

/**
 * Keys that nobody touches stay far beyond their time. Of what a server got as a replica nothing is on its disk:
 * it would be there again after the server was killed as a master.
 */
const SLOW_EXPIRY = {
  args: [
    ...['--hz', '1', '--enable-debug-command', 'yes'],
    ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'],
    ...['--repl-diskless-load', 'swapdb'],
  ],
}
