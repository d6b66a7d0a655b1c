/** Real sentinels with a master and its replicas, for specs: started in seconds, failed over at will. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import { freePort } from './ports.ts'
import { connectRaw } from './raw-client.ts'
import { REDIS_SERVER, type RedisServer, startRedis } from './redis-server.ts'
import { Relay } from './relay.ts'
import { until } from './until.ts'

export interface SentinelSetup {
  /** By the name of the master: how many replicas it has. */
  readonly masters: Readonly<Record<string, number>>
  /** Default: 3. */
  readonly sentinels?: number
  /** Default: 1000. */
  readonly downAfterMs?: number
  /** Default: 5000. */
  readonly failoverTimeoutMs?: number
  /** What clients of the sentinels must present. */
  readonly password?: string
  /** What clients of the servers must present. */
  readonly serverPassword?: string
  /** Everybody reaches the sentinels through relays, which the spec can cut. */
  readonly relayed?: boolean
  /** More arguments of each server. */
  readonly serverArgs?: readonly string[]
}

class SentinelProcess {
  readonly port: number
  /** Through which everybody else reaches it. */
  relay: Relay | undefined
  readonly #directory = mkdtempSync(join(tmpdir(), 'ambassador-sentinel-'))
  #child: Child | undefined

  constructor(port: number) {
    this.port = port
  }

  /** What it has logged. */
  get log(): string {
    return this.#child?.output ?? ''
  }

  /** Where others reach it. */
  get announcedPort(): number {
    return this.relay?.port ?? this.port
  }

  async start(settings: readonly string[]): Promise<void> {
    const file = join(this.#directory, 'sentinel.conf')
    const own = [`port ${this.port}`, 'bind 127.0.0.1', `dir ${this.#directory}`]
    if (this.relay !== undefined) {
      own.push('sentinel announce-ip 127.0.0.1', `sentinel announce-port ${this.relay.port}`)
    }
    writeFileSync(file, `${[...own, ...settings].join('\n')}\n`)
    this.#child = await startChild({
      command: REDIS_SERVER,
      args: [file, '--sentinel'],
      ready: { log: 'Sentinel ID is' },
    })
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#child?.kill(signal)
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL')
    await this.relay?.stop()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

export interface SentinelWorld {
  readonly sentinels: readonly SentinelProcess[]
  /** `host:port` of all sentinels, as the option takes them. */
  readonly addresses: string
  /** The servers of a master by name, the first one master at the start. */
  servers(master: string): readonly RedisServer[]
  /** The port of the master, as the sentinel with this number says. */
  masterPort(master: string, sentinel: number): Promise<number>
  /** The ports to which the first of the sentinels has seen the master move, one after the other. */
  heirs(master: string): number[]
  /** `master`, and perhaps `s_down`, `failover_in_progress`: what that sentinel says of the master's state. */
  flags(master: string, sentinel: number): Promise<string>
  /** SENTINEL FAILOVER at the first of the sentinels. */
  failOver(master: string): Promise<void>
  /** Resolves when this server says ROLE master. */
  untilMaster(server: RedisServer): Promise<void>
  stop(): Promise<void>
}

/** Resolves when every sentinel knows all the others and all replicas. */
export async function startSentinels(setup: SentinelSetup): Promise<SentinelWorld> {
  const { masters, sentinels: count = 3, downAfterMs = 1000, failoverTimeoutMs = 5000 } = setup
  const groups = new Map<string, RedisServer[]>()
  for (const [name, replicas] of Object.entries(masters)) {
    const { serverArgs = [], serverPassword: secret } = setup
    const auth = secret === undefined ? [] : ['--requirepass', secret, '--masterauth', secret]
    const args = ['--repl-diskless-sync-delay', '0', ...auth, ...serverArgs]
    const master = await startRedis({ args })
    const replicaArgs = [...args, '--replicaof', '127.0.0.1', String(master.port)]
    const others = await Promise.all(
      Array.from({ length: replicas }, () => startRedis({ args: replicaArgs })),
    )
    groups.set(name, [master, ...others])
  }
  const settings = [...groups].flatMap(([name, [master]]) => [
    `sentinel monitor ${name} 127.0.0.1 ${master?.port} ${Math.floor(count / 2) + 1}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
    ...(setup.serverPassword === undefined
      ? []
      : [`sentinel auth-pass ${name} ${setup.serverPassword}`]),
  ])
  if (setup.password !== undefined) {
    settings.push(`requirepass ${setup.password}`, `sentinel sentinel-pass ${setup.password}`)
  }
  const processes: SentinelProcess[] = []
  for (let i = 0; i < count; i++) processes.push(new SentinelProcess(await freePort()))
  if (setup.relayed === true) {
    for (const each of processes) each.relay = await Relay.start(each.port)
  }
  await Promise.all(processes.map((process) => process.start(settings)))
  const world = new World(processes, groups, setup.password)
  await world.untilKnown(masters, count)
  return world
}

class World implements SentinelWorld {
  readonly sentinels: readonly SentinelProcess[]
  readonly #groups: ReadonlyMap<string, readonly RedisServer[]>
  readonly #password: string | undefined

  constructor(
    sentinels: readonly SentinelProcess[],
    groups: ReadonlyMap<string, readonly RedisServer[]>,
    password: string | undefined,
  ) {
    this.sentinels = sentinels
    this.#groups = groups
    this.#password = password
  }

  get addresses(): string {
    return this.sentinels.map(({ announcedPort }) => `127.0.0.1:${announcedPort}`).join(',')
  }

  servers(master: string): readonly RedisServer[] {
    return this.#groups.get(master) ?? []
  }

  async untilKnown(masters: Readonly<Record<string, number>>, sentinels: number): Promise<void> {
    for (const { port } of this.sentinels) {
      for (const [name, replicas] of Object.entries(masters)) {
        await until(async () => {
          const text = await this.#ask(port, 'SENTINEL', 'MASTER', name)
          const numberOf = (field: string) =>
            new RegExp(`${field}\\r\\n\\$\\d+\\r\\n(\\d+)`).exec(text)?.[1]
          const knows = numberOf('num-other-sentinels') === String(sentinels - 1)
          return knows && numberOf('num-slaves') === String(replicas)
        }, 50)
      }
    }
  }

  async masterPort(master: string, sentinel: number): Promise<number> {
    const port = this.sentinels[sentinel]?.port ?? 0
    const reply = await this.#ask(port, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)
    return Number(reply.split('\r\n')[4])
  }

  heirs(master: string): number[] {
    const log = this.sentinels[0]?.log ?? ''
    const switches = log.matchAll(
      new RegExp(`\\+switch-master ${master} \\S+ \\d+ \\S+ (\\d+)`, 'g'),
    )
    return [...switches].map(([, port]) => Number(port))
  }

  async flags(master: string, sentinel: number): Promise<string> {
    const port = this.sentinels[sentinel]?.port ?? 0
    const text = await this.#ask(port, 'SENTINEL', 'MASTER', master)
    return /\r\nflags\r\n\$\d+\r\n(\S+)/.exec(text)?.[1] ?? ''
  }

  async failOver(master: string): Promise<void> {
    const [first] = this.sentinels
    // A sentinel that has just seen a replica come up calls it no good one for some seconds.
    await until(async () => {
      const reply = await this.#ask(first?.port ?? 0, 'SENTINEL', 'FAILOVER', master)
      return reply.startsWith('+OK')
    }, 100)
  }

  async untilMaster(server: RedisServer): Promise<void> {
    await until(async () => (await askOnce(server.port, [['ROLE']])).includes('master'), 20)
  }

  async stop(): Promise<void> {
    await Promise.all(this.sentinels.map((sentinel) => sentinel.stop()))
    await Promise.all([...this.#groups.values()].flat().map((server) => server.stop()))
  }

  #ask(port: number, ...words: string[]): Promise<string> {
    const login = this.#password === undefined ? [] : [['AUTH', this.#password]]
    return askOnce(port, [...login, words])
  }
}

/** The reply to the last of the requests. */
async function askOnce(port: number, requests: readonly (readonly string[])[]): Promise<string> {
  const client = await connectRaw(port)
  try {
    let reply = ''
    for (const words of requests) reply = String(await client.request(...words))
    return reply
  } finally {
    await client.close()
  }
}
