/**
 * The ambassador in the process of the spec, configured as by flags, in front of Redis servers or
 * fakes on ports of this machine; and its clients at byte level.
 */
import { expect } from 'chai'
import { type Gauges, startAmbassador } from '../../lib/ambassador.ts'
import type { Config } from '../../lib/config/config.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import type { Logger } from '../../lib/logger.ts'
import { SPEC_WORKERS } from './bin.ts'
import { ifSpecFails } from './left-behind.ts'
import { placementOver } from './placement.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import { startTested, type Tested } from './two-workers.ts'

export const SILENT: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}

/** How long after the last reply anything may still be under way, milliseconds, on a busy machine. */
const QUIET_MS_MAX = 30_000

/** How long a request may take, milliseconds. Whether it is late is not for a busy machine to say. */
const REQUEST_TIMEOUT_MS = '20000'

const NOTHING_UNDER_WAY: Gauges = { clients: 0, inFlight: 0, leases: 0, topics: 0 }

/** A shard by its port, or as an operator would write it: `unix:///tmp/a.sock`. */
export type ShardAddress = { readonly port: number } | string

/**
 * The configuration for shards named a, b, c ...: names, not ports, place the keys, so that each run
 * places them alike. `flags` are options by name, as text; a spec of deadlines gives its own.
 */
export function configFor(
  shards: readonly ShardAddress[],
  flags: Readonly<Record<string, string>> = {},
): Config {
  const list = shards.map((shard, index) => {
    const address = typeof shard === 'string' ? shard : `127.0.0.1:${shard.port}`
    return `${shardName(index)}=${address}`
  })
  // Nothing of the machine that the spec runs on: no variables, and no files but the defaults.
  const { password, users, shardPassword, ...others } = flags
  const env: NodeJS.ProcessEnv = {
    ...(password === undefined ? {} : { AMBASSADOR_PASSWORD: password }),
    ...(users === undefined ? {} : { AMBASSADOR_USERS: users }),
    ...(shardPassword === undefined ? {} : { AMBASSADOR_SHARD_PASSWORD: shardPassword }),
  }
  return loadConfig({
    env,
    flags: {
      environmentDirectory: '/nonexistent',
      namespaceFile: '/nonexistent',
      listen: '127.0.0.1:0',
      adminListen: 'off',
      shards: list.join(','),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      ...others,
    },
  })
}

/** The configuration file `text`, with `flags` over it, and nothing of the machine that the spec runs on. */
export function configOfFile(text: string, flags: Readonly<Record<string, string>> = {}): Config {
  return loadConfig({
    env: {},
    flags: {
      environmentDirectory: '/nonexistent',
      namespaceFile: '/nonexistent',
      configInline: text,
      listen: '127.0.0.1:0',
      adminListen: 'off',
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      ...flags,
    },
  })
}

/** Starts an ambassador on a free port, in front of shards as `configFor` names them. */
export async function startAmbassadorFor(
  shards: readonly ShardAddress[],
  flags: Readonly<Record<string, string>> = {},
  logger: Logger = SILENT,
): Promise<AmbassadorUnderTest> {
  const config = configFor(shards, flags)
  const start = SPEC_WORKERS === 1 ? startAmbassador : startTested
  return new AmbassadorUnderTest(await start(config, logger))
}

/**
 * Keys that live on the shard `index` of so many named a, b, c ...: `k<number>` with ascending
 * numbers, the `count` first of them.
 */
export function keysOn(index: number, shards: number, count = 1): string[] {
  const placement = placementOver(
    Array.from({ length: shards }, (_, at) => ({ name: shardName(at), weight: 1 })),
  )
  const keys: string[] = []
  for (let number = 0; keys.length < count; number++) {
    const key = Buffer.from(`k${number}`)
    if (placement.shardOf(key, 0, key.length) === index) keys.push(key.toString())
  }
  return keys
}

/** `a` for the first shard. */
export function shardName(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index)
}

export class AmbassadorUnderTest {
  /** TCP port of the first address, 0 if that is a unix socket. */
  readonly port: number
  /** The ports of all its TCP addresses, in the order of the configuration. */
  readonly ports: readonly number[]
  readonly #ambassador: Tested
  readonly #clients: RawClient[] = []
  readonly #forget: () => void

  constructor(ambassador: Tested) {
    this.#ambassador = ambassador
    this.#forget = ifSpecFails(() => ambassador.stop())
    const [address] = ambassador.addresses
    this.port = typeof address === 'object' ? address.port : 0
    this.ports = ambassador.addresses.flatMap((each) => (typeof each === 'object' ? each.port : []))
  }

  /** TCP port of the admin endpoint, if flag `adminListen` has one. */
  get adminPort(): number {
    const address = this.#ambassador.adminAddress
    return typeof address === 'object' ? address.port : 0
  }

  /** A client that speaks RESP2, or RESP3 after `HELLO 3`. Closed by `stop` at the latest. */
  async connect(protocol: 2 | 3 = 2, port = this.port): Promise<RawClient> {
    const client = await connectRaw(port)
    this.#clients.push(client)
    if (protocol === 3) await client.request('HELLO', '3')
    return client
  }

  get gauges(): Gauges {
    return this.#ambassador.gauges
  }

  reload(config: Config): void {
    this.#ambassador.reload(config)
  }

  /** Closes the clients made here and waits until nothing is under way; fails if something stays. */
  async quiet(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.close()
    const endMs = performance.now() + QUIET_MS_MAX
    while (performance.now() < endMs) {
      await this.#ambassador.look?.()
      const { clients, inFlight, leases, topics } = this.gauges
      if (clients + inFlight + leases + topics === 0) break
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(this.gauges).to.deep.equal(NOTHING_UNDER_WAY)
  }

  /** Stops it after `quiet`. */
  async stop(): Promise<void> {
    try {
      await this.quiet()
    } finally {
      await this.#ambassador.stop()
      this.#forget()
    }
  }
}

export interface ShardsUnderTest {
  readonly redises: RedisServer[]
  readonly ambassador: AmbassadorUnderTest
  stop(): Promise<void>
}

/** So many Redis servers and an ambassador in front of them. */
export async function startShards(
  count: number,
  flags: Readonly<Record<string, string>> = {},
  redisArgs: readonly string[] = [],
): Promise<ShardsUnderTest> {
  const redises: RedisServer[] = []
  for (let i = 0; i < count; i++) redises.push(await startRedis({ args: redisArgs }))
  const ambassador = await startAmbassadorFor(redises, flags)
  async function stop(): Promise<void> {
    try {
      await ambassador.stop()
    } finally {
      for (const redis of redises) await redis.stop()
    }
  }
  return { redises, ambassador, stop }
}
