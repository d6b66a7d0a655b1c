/** Keeps a shard at the server that is master now, as its sentinels and the server itself say. */
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { type ControlOptions, openControl, type RedisAddress } from '../control/ioredis.ts'
import { readRole } from '../control/sentinel/reports.ts'
import type { Sentinels } from '../control/sentinel/sentinels.ts'
import type { ServerAddress } from '../control/server-address.ts'
import { ROLE_ANSWER_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { serverAddressOf } from '../shard-address.ts'
import type { MoveFacts } from '../topology/locators/locator.ts'
import { SentinelLocator } from '../topology/locators/sentinel-locator.ts'
import type { Shard } from '../upstream/shard.ts'

export interface FollowerOptions {
  readonly shard: Shard
  readonly shardConfig: ShardConfig
  readonly config: PoolConfig
  /** The name by which the sentinels know the master. */
  readonly master: string
  readonly sentinels: Sentinels
  /** Where the shard is already, if another follower has found that out. */
  readonly address: ServerAddress | undefined
  /** What to log in with at its servers. */
  readonly login: () => Pick<ControlOptions, 'username' | 'password'>
  /** The replicas of the master, whenever sentinels have told. */
  readonly onReplicas: (replicas: readonly ServerAddress[]) => void
  readonly now: () => number
  readonly logger: Logger
}

export class Follower {
  readonly #shardConfig: ShardConfig
  readonly #config: PoolConfig
  readonly #locator: SentinelLocator

  constructor(all: FollowerOptions) {
    const { shard, shardConfig, config, login, logger, onReplicas, ...options } = all
    this.#shardConfig = shardConfig
    this.#config = config
    this.#locator = new SentinelLocator({
      ...options,
      early: config.sentinelEarly,
      onUnknown: () => {
        const facts = { shard: shard.name, master: options.master }
        logger.warn(facts, 'no sentinel knows this master')
      },
      readRole: (address) => roleOf(serverAddressOf(address, shardConfig, config), login()),
      observer: {
        moved: (to: ServerAddress, facts: MoveFacts) => {
          shard.relocate(serverAddressOf(to, shardConfig, config), facts)
        },
        held: () => shard.hold(),
        released: () => shard.release(),
        replicated: onReplicas,
      },
    })
  }

  get address(): ServerAddress | undefined {
    return this.#locator.address
  }

  /** The address of the server, with the TLS options that verify it. */
  get serverAddress() {
    const { address } = this
    return address && serverAddressOf(address, this.#shardConfig, this.#config)
  }

  /** The server has said or done what a master does not. */
  doubt(sign: 'readOnly' | 'silent'): void {
    this.#locator.doubt(sign)
  }

  close(): void {
    this.#locator.close()
  }
}

/** On a connection made for this: it shows who is there now. */
async function roleOf(
  address: RedisAddress,
  { username, password }: Pick<ControlOptions, 'username' | 'password'>,
): Promise<string | undefined> {
  const client = openControl(address, { username, password, timeoutMs: ROLE_ANSWER_MS })
  try {
    return await readRole(client)
  } finally {
    client.disconnect()
  }
}
