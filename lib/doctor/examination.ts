/**
 * Examines one shard: connects to it as `start` would, and asks it about itself. Nothing is
 * written, and every step has a deadline.
 */
import { isIP } from 'node:net'
import { learnCommands } from '../commands/learning/learn.ts'
import type { CommandDefinition } from '../commands/row.ts'
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { shardAddressText } from '../config/values/address.ts'
import { lastLine, openControl, type RedisAddress, type RedisClient } from '../control/ioredis.ts'
import { errorText } from '../errors.ts'
import { DOCTOR_STEP_MS_MAX } from '../limits.ts'
import { shardAddress } from '../shard-address.ts'
import { addressesOf } from './addresses.ts'
import { connectionTrouble, refusalTrouble } from './connection-trouble.ts'
import { type Finding, note, problem, well } from './finding.ts'
import { type Attempts, examineRights } from './rights.ts'
import { modeOf, readInfo, type ShardInfo } from './shard-info.ts'

/** PINGs whose times are measured. */
const PINGS = 5

export class Examination {
  readonly shard: ShardConfig
  readonly findings: Finding[] = []
  /** The fields of INFO; undefined when the shard could not be asked. */
  info: ShardInfo | undefined
  /** The shard's clock less ours, milliseconds. */
  clockOffsetMs: number | undefined
  /** The median of some PINGs, milliseconds. */
  latencyMs: number | undefined
  commands: readonly CommandDefinition[] | undefined
  /** It took our connection and our credentials. */
  opened = false
  readonly #config: PoolConfig
  readonly #address: string
  readonly #stepMs: number
  #client: RedisClient | undefined

  constructor(shard: ShardConfig, config: PoolConfig) {
    this.shard = shard
    this.#config = config
    this.#address = shardAddressText(shard)
    this.#stepMs = Math.min(config.connectTimeoutMs, DOCTOR_STEP_MS_MAX)
  }

  /**
   * Connects, logs in and asks for the state. A failure is a finding, and the steps after it are left
   * out.
   */
  async open(): Promise<void> {
    if (!(await this.#resolve()) || !(await this.#connect())) return
    if (!(await this.#login())) {
      this.close()
      return
    }
    this.opened = true
    await Promise.all([this.#readInfo(), this.#readClock()])
  }

  async measure(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const times: number[] = []
    for (let i = 0; i < PINGS; i++) {
      const startMs = performance.now()
      const { failed } = await ask(client, 'PING')
      if (failed === 'timeout' || failed === 'connection') return
      times.push(performance.now() - startMs)
      if (times.reduce((sum, each) => sum + each) > this.#stepMs) break
    }
    times.sort((a, b) => a - b)
    this.latencyMs = times[Math.floor(times.length / 2)]
  }

  async readCommands(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    const { name } = this.shard
    const { reply, error } = await ask(client, 'COMMAND')
    if (error === undefined) {
      this.commands = await withoutRenamed(client, learnCommands(reply))
    } else {
      const saw = `${this.#address} does not tell its commands (${error})`
      const advice = 'What is newer than Redis 7 stays unknown then. Allow the user COMMAND.'
      this.findings.push(note('commands', name, saw, advice))
    }
  }

  /** Last, since the connection may be in another state after it. */
  async tryCommands(): Promise<void> {
    const client = this.#client
    // A sentinel keeps no data and knows few commands.
    if (client === undefined || (this.info && modeOf(this.info)) === 'sentinel') return
    const place = { name: this.shard.name, address: this.#address }
    const attempt: Attempts['attempt'] = async (command, ...words) => {
      const { error, failed } = await ask(client, command, ...words)
      if (failed === 'timeout' || failed === 'connection') throw new Error(error)
      return error
    }
    const attemptLast: Attempts['attempt'] = async (...words) => {
      const line = await lastLine(client, words, this.#stepMs)
      return line.startsWith('-') ? errorText(line.slice(1)) : undefined
    }
    const { cluster, nearCacheKeys, readFrom } = this.#config
    const isKept = nearCacheKeys !== undefined && readFrom === 'master'
    const keeps = isKept ? (cluster === undefined ? 'of a server' : 'of a node') : undefined
    // If the shard stops answering, another check reports that; here it costs one deadline.
    const found = await examineRights(place, { attempt, attemptLast }, keeps).catch(() => [])
    this.findings.push(...found)
  }

  close(): void {
    this.#client?.disconnect()
    this.#client = undefined
  }

  /** Whether the name leads somewhere. */
  async #resolve(): Promise<boolean> {
    const { host, path, name } = this.shard
    if (path !== undefined || isIP(host) !== 0) return true
    const found = await addressesOf(host, this.#stepMs)
    if (typeof found === 'string') {
      const advice =
        'Is it spelt right, does the name server know it, and does it need its domain (redis-0.redis.shop)?'
      this.findings.push(problem('dns', name, `${host} does not resolve: ${found}`, advice))
      return false
    }
    const list = found.join(', ')
    const several = found.filter((address) => isIP(address) === isIP(found[0] ?? ''))
    this.findings.push(
      several.length > 1
        ? note(
            'dns',
            name,
            `${host} is ${several.length} addresses: ${list}`,
            'A shard must be one Redis: connections would go to any of them. Name a single one.',
          )
        : well('dns', name, `${host} is ${list}`),
    )
    return true
  }

  async #connect(): Promise<boolean> {
    const { name, tls } = this.shard
    const address = shardAddress(this.shard, this.#config)
    if (address === undefined) return false
    const { client, error } = await connected(address, this.#stepMs)
    if (error === undefined) {
      this.#client = client
      this.findings.push(well('reach', name, `${this.#address} answers`))
      if (tls) this.findings.push(well('tls', name, this.#certificateText()))
      return true
    }
    client.disconnect()
    const place = { shard: name, address: this.#address, tls }
    const otherWayWorks = await this.#worksTheOtherWay(error.code)
    this.findings.push(connectionTrouble(place, error, { otherWayWorks }))
    return false
  }

  #certificateText(): string {
    return this.#config.shardTlsInsecure
      ? `${this.#address} speaks TLS; its certificate is not verified (shardTlsInsecure)`
      : `${this.#address} has a certificate that is trusted`
  }

  /** With TLS where none is configured, and without where it is. */
  async #worksTheOtherWay(code: string | undefined): Promise<boolean> {
    const { host, port, path, tls } = this.shard
    if (path !== undefined || code === 'ECONNREFUSED') return false
    // A Redis without TLS does not answer a handshake, so a time-out is a reason to try the other
    // way.
    if (code === 'ETIMEDOUT' && !tls) return false
    const other = tls ? { host, port } : { host, port, tls: { rejectUnauthorized: false } }
    const { client, error } = await connected(other, this.#stepMs)
    client.disconnect()
    return error === undefined
  }

  async #login(): Promise<boolean> {
    const client = this.#client as RedisClient
    const { name, username, password, database, tls } = this.shard
    const steps: ['AUTH' | 'SELECT' | 'PING', string[]][] = []
    if (password !== undefined) {
      steps.push(['AUTH', username === undefined ? [password] : [username, password]])
    }
    if (database !== 0) steps.push(['SELECT', [String(database)]])
    steps.push(['PING', []])
    for (const [command, words] of steps) {
      const { error, failed } = await ask(client, command, ...words)
      if (error === undefined) continue
      const place = { shard: name, address: this.#address, tls }
      const trouble =
        failed === 'reply'
          ? refusalTrouble(place, command, error)
          : connectionTrouble(place, new Error(error), { otherWayWorks: false })
      this.findings.push(trouble)
      // A shard that loads or cannot save still tells about itself.
      if (trouble.check !== 'state') return false
    }
    if (password !== undefined) {
      this.findings.push(well('auth', name, `${this.#address} takes the password`))
    }
    if (database !== 0) this.findings.push(well('database', name, `it has database ${database}`))
    return true
  }

  async #readInfo(): Promise<void> {
    const { reply, error } = await ask(this.#client as RedisClient, 'INFO')
    if (error === undefined) {
      this.info = readInfo(String(reply))
    } else {
      const saw = `${this.#address} does not answer INFO (${error})`
      const advice = 'Role, mode, version and memory stay unknown. Allow the user INFO.'
      this.findings.push(note('state', this.shard.name, saw, advice))
    }
  }

  async #readClock(): Promise<void> {
    const startMs = Date.now()
    const { reply } = await ask(this.#client as RedisClient, 'TIME')
    if (!Array.isArray(reply)) return
    const shardMs = Number(reply[0]) * 1000 + Number(reply[1]) / 1000
    this.clockOffsetMs = shardMs - (startMs + Date.now()) / 2
  }
}

/**
 * COMMAND lists a renamed command under its original name (Redis 7.0), for which COMMAND INFO
 * answers nil. Neither has a command that was renamed to nothing.
 */
async function withoutRenamed(
  client: RedisClient,
  commands: readonly CommandDefinition[],
): Promise<readonly CommandDefinition[]> {
  const { reply } = await ask(client, 'COMMAND', 'INFO', ...commands.map(({ name }) => name))
  if (!Array.isArray(reply) || reply.length !== commands.length) return commands
  return commands.filter((_, at) => reply[at] !== null)
}

interface Connected {
  readonly client: RedisClient
  readonly error: NodeJS.ErrnoException | undefined
}

/** A client without AUTH whose first PING got any reply; or the reason that no reply came. */
async function connected(address: RedisAddress, timeoutMs: number): Promise<Connected> {
  const client = openControl(address, { username: undefined, password: undefined, timeoutMs })
  let first: NodeJS.ErrnoException | undefined
  client.on('error', (error: NodeJS.ErrnoException) => {
    first ??= error
  })
  // A PING that waits for the connection would time out with it, and hide why.
  await new Promise((resolve) => {
    client.once('ready', resolve)
    client.once('end', resolve)
  })
  const { error, failed } = await ask(client, 'PING')
  if (failed === undefined || failed === 'reply') return { client, error: undefined }
  return { client, error: first ?? new Error(error) }
}

interface Answer {
  readonly reply?: unknown
  /** In words, safe to print. */
  readonly error?: string
  readonly failed?: 'reply' | 'timeout' | 'connection'
}

/** Never rejects. */
async function ask(client: RedisClient, command: string, ...words: string[]): Promise<Answer> {
  try {
    return { reply: await client.call(command, ...words) }
  } catch (error) {
    const { name, message } = error as Error
    const text = errorText(message)
    if (name === 'ReplyError') return { error: text, failed: 'reply' }
    return { error: text, failed: /timed out/.test(message) ? 'timeout' : 'connection' }
  }
}
