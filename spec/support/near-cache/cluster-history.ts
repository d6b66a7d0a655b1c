/**
 * Readers and writers of the same keys of a Redis Cluster through two ambassadors with near-caches, and past
 * both, while slots move and replicas take over. Every read is judged by what its reader had a right to see.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { AmbassadorUnderTest } from '../ambassador.ts'
import { type Cluster, startCluster } from '../cluster.ts'
import { startAmbassadorForCluster } from '../cluster-ambassador.ts'
import { encodeRequest } from '../frames.ts'
import { createRandom, type Random } from '../random.ts'
import type { RawClient } from '../raw-client.ts'
import { elementsOf, numberIn } from './history.ts'
import { Versions } from './versions.ts'

export interface ClusterHistoryOptions {
  readonly seed: number
  /** Reads go on until there were so many of them, and so many moves. */
  readonly reads: number
  readonly moves: number
  readonly staleMs: number
}

const KEYS = 24
const READERS = 8
const DEPTHS = [1, 4, 16]
const COMMANDS = [['GET'], ['GETRANGE', '0', '-1'], ['MGET']] as const
/** A key is written after so long, on average milliseconds. */
const WRITE_EVERY_MS = 60
/** One move in so many is that of a master. */
const FAILOVER_EVERY = 6

export class ClusterHistory {
  readonly lies: string[] = []
  reads = 0
  writes = 0
  moves = 0
  failovers = 0
  /** Reads answered with an error, and writes that may be done or not. */
  failed = 0
  /** Keys read whose values came from memory. */
  hits = 0
  readonly #options: ClusterHistoryOptions
  readonly #random: Random
  readonly #keys: Versions[] = []
  #names = 0
  #cluster!: Cluster
  /** Two with near-caches, and one without. */
  #ambassadors: AmbassadorUnderTest[] = []
  #isOver = false

  constructor(options: ClusterHistoryOptions) {
    this.#options = options
    this.#random = createRandom(options.seed)
  }

  async run(): Promise<void> {
    // On a busy machine a server may be slow; it is not to be taken for dead.
    this.#cluster = await startCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 15_000 })
    const { addresses } = this.#cluster
    const flags = { nearCacheKeys: 'near:', nearCacheStaleMs: `${this.#options.staleMs}` }
    for (const each of [flags, flags, {}]) {
      this.#ambassadors.push(await startAmbassadorForCluster(addresses, each))
    }
    for (let at = 0; at < KEYS; at++) this.#renew(at)
    try {
      const moving = this.#move().finally(() => {
        this.#isOver = true
      })
      const readers = Array.from({ length: READERS }, (_, at) => this.#read(at))
      await Promise.all([...this.#keys.map((_, at) => this.#write(at)), ...readers, moving])
      for (const ambassador of this.#ambassadors.slice(0, 2)) this.hits += await hitsOf(ambassador)
    } finally {
      this.#isOver = true
      for (const ambassador of this.#ambassadors) await ambassador.stop()
      await this.#cluster.stop()
    }
  }

  #renew(at: number): void {
    this.#keys[at] = new Versions(`near:{${at}.${this.#names++}}`)
  }

  /** A slot goes from master to master, sometimes only half way; or a replica takes over. */
  async #move(): Promise<void> {
    const { reads, moves } = this.#options
    while (this.moves < moves || this.reads < reads) {
      await pause(this.#random.integer(0, 100))
      await this.#cluster.settled()
      const masters = await this.#cluster.masters()
      if (++this.moves % FAILOVER_EVERY === 0) {
        await this.#cluster.failOver(this.#random.pick(masters))
        this.failovers++
        continue
      }
      const slot = await this.#cluster.slotOf(this.#anyKey().name)
      const owner = await this.#cluster.ownerOf(slot)
      const others = masters.filter((each) => each !== owner)
      const open = await this.#cluster.openSlot(slot, this.#random.pick(others))
      await pause(this.#random.integer(0, 100))
      await open.moveKeys()
      await pause(this.#random.integer(0, 300))
      await open.finish()
    }
  }

  async #write(at: number): Promise<void> {
    const clients = await Promise.all(this.#ambassadors.map((each) => each.connect()))
    while (!this.#isOver) {
      await pause(this.#random.integer(0, 2 * WRITE_EVERY_MS))
      const through = this.#random.integer(0, clients.length - 1)
      const key = this.#keys[at] as Versions
      const isDeleted = this.#random.integer(0, 9) < 2
      const version = isDeleted ? key.nextAbsent() : key.next()
      const words = isDeleted ? ['DEL', key.name] : ['SET', key.name, `${version}`]
      const reply = `${await (clients[through] as RawClient).request(...words)}`
      if (reply.startsWith('-')) {
        this.failed++
        this.#renew(at)
      } else {
        this.writes++
        key.acknowledge(version, through < 2 ? through : undefined)
      }
    }
    for (const client of clients) await client.close()
  }

  async #read(reader: number): Promise<void> {
    const ambassador = reader % 2
    const depth = DEPTHS[reader % DEPTHS.length] as number
    /** By command and key. */
    const seen = new Map<string, number>()
    const under = this.#ambassadors[ambassador] as AmbassadorUnderTest
    const client = await under.connect(reader % 4 < 2 ? 2 : 3)
    while (!this.#isOver) await this.#readOnce(client, ambassador, depth, seen)
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

  #anyKey(): Versions {
    return this.#keys[Math.floor(KEYS * this.#random.next() ** 2)] as Versions
  }

  #question(ambassador: number) {
    const [command, ...rest] = this.#random.pick(COMMANDS)
    const count = command === 'MGET' ? this.#random.integer(1, 4) : 1
    const keys = Array.from({ length: count }, () => {
      const key = this.#anyKey()
      return { key, floors: key.floors(ambassador, this.#options.staleMs) }
    })
    const frame = encodeRequest(command, ...keys.map(({ key }) => key.name), ...rest)
    return { keys, command, frame }
  }
}

async function hitsOf(ambassador: AmbassadorUnderTest): Promise<number> {
  const client = await ambassador.connect()
  const facts = `${await client.request('AMBASSADOR', 'STATS')}`
  await client.close()
  return Number(/near_cache_hits\r\n:(\d+)/.exec(facts)?.[1])
}
