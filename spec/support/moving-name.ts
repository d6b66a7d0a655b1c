/**
 * A name, `shard.test`, that leads to one of two real Redis servers on two addresses of this machine,
 * and to the other when the spec says so. Both servers stay reachable.
 */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { ManualTimers } from './manual-timers.ts'
import { freePort } from './ports.ts'
import { connectRaw } from './raw-client.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const NAME = 'shard.test'
const ADDRESSES = ['127.0.0.1', '127.0.0.2'] as const

type Found = (error: Error | null, found?: dns.LookupAddress[]) => void

export class MovingName {
  /** By index; both on the same port. */
  readonly redises: readonly RedisServer[]
  /** In place of Node's while installed: what looks up the name at intervals. */
  readonly timers = new ManualTimers()
  readonly #realLookup = dns.lookup
  /** Undefined: the name leads nowhere. */
  #address: string | undefined = ADDRESSES[0]

  private constructor(redises: readonly RedisServer[]) {
    this.redises = redises
    // What net.connect and lib ask by default; the file of hosts is not ours to write.
    const lookup = (host: string, options: dns.LookupAllOptions, found: Found): void => {
      const address = this.#address
      if (host !== NAME) this.#realLookup(host, options, found)
      else if (address === undefined) setImmediate(found, new Error('ENOTFOUND'))
      else setImmediate(found, null, [{ address, family: 4 }])
    }
    dns.lookup = lookup as unknown as typeof dns.lookup
    syncBuiltinESMExports()
  }

  static async start(): Promise<MovingName> {
    const port = await freePort()
    return new MovingName(await Promise.all(ADDRESSES.map((host) => startRedis({ port, host }))))
  }

  /** As it stands in a list of shards. */
  get shard(): string {
    return `${NAME}:${this.redises[0]?.port}`
  }

  /** Where it leads from now on; undefined: nowhere. */
  lead(index: 0 | 1 | undefined): void {
    this.#address = index === undefined ? undefined : ADDRESSES[index]
  }

  /** What one of the servers itself answers. */
  async ask(index: 0 | 1, ...words: string[]): Promise<string> {
    const port = this.redises[index]?.port ?? 0
    const direct = await connectRaw({ host: ADDRESSES[index], port })
    const reply = await direct.request(...words)
    await direct.close()
    return reply.toString('latin1')
  }

  async stop(): Promise<void> {
    dns.lookup = this.#realLookup
    syncBuiltinESMExports()
    for (const redis of this.redises) await redis.stop()
  }
}
