/** Asks the sentinels of a shard about its master, from where the ambassador runs. */
import { isIP } from 'node:net'
import type { PoolConfig, SentinelAddress, ShardConfig } from '../config/config.ts'
import { openControl } from '../control/ioredis.ts'
import { type MasterReport, readMaster } from '../control/sentinel/reports.ts'
import { addressKey, type ServerAddress, serverAddress } from '../control/server-address.ts'
import { DOCTOR_STEP_MS_MAX } from '../limits.ts'
import { sentinelAddressOf } from '../shard-address.ts'
import { type MasterAnswer, MasterView } from '../topology/locators/master-view.ts'
import { isOneServer } from '../topology/locators/server-names.ts'
import { addressesOf } from './addresses.ts'
import { type Finding, note, problem, well } from './finding.ts'

/** The time of an election, which a failover takes beyond `down-after-milliseconds`. */
const ELECTION_MS = 1000

export interface Located {
  /** With the address of its master now; undefined when no sentinel tells. */
  readonly shard: ShardConfig | undefined
  readonly findings: readonly Finding[]
}

/** What one sentinel answered: a report, nothing (it does not know the master), or an error. */
interface Voice {
  readonly address: string
  readonly report: MasterReport | undefined
  readonly error: string | undefined
}

/** Only shards behind sentinels need to be located. */
export async function locate(shard: ShardConfig, config: PoolConfig): Promise<Located> {
  const { sentinel } = shard
  if (sentinel === undefined) return { shard, findings: [] }
  const asked = sentinel.addresses.map((address) => ask(address, sentinel.master, config))
  const voices = await Promise.all(asked)
  const told = voices.flatMap(({ report }) =>
    report === undefined ? [] : (answerOf(report) ?? []),
  )
  const ips = await lookUp(told, stepMs(config))
  const isOne = (one: ServerAddress, other: ServerAddress): boolean =>
    isOneServer(one, other, (host) => ips.get(host))
  const view = new MasterView(isOne)
  for (const { address, report } of voices) {
    if (report === undefined) view.lost(address)
    else view.answered(address, answerOf(report))
  }
  const [found] = view.heirs(voices.length)
  const replicas = view.replicas().filter((each) => {
    return found === undefined || !isOne(each, found)
  })
  return {
    shard: found && { ...shard, ...found, sentinel: undefined, replicas },
    findings: findingsOf(shard, sentinel.master, voices, view, config),
  }
}

/** Undefined: what it names as the master is no address. */
function answerOf(report: MasterReport): MasterAnswer | undefined {
  const address = serverAddress(report.host, report.port)
  const replicas = report.replicas.flatMap((each) => serverAddress(each.host, each.port) ?? [])
  return address && { address, epoch: report.epoch, replicas }
}

/** The IPs of all names that were told; of one that cannot be looked up, none. */
async function lookUp(
  answers: readonly MasterAnswer[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const hosts = answers.flatMap(({ address, replicas }) => [address, ...replicas])
  const names = new Set(hosts.flatMap(({ host }) => (isIP(host) === 0 ? host : [])))
  const found = await Promise.all(
    [...names].map(async (name) => {
      const ips = await addressesOf(name, timeoutMs)
      return [name, typeof ips === 'string' ? [] : ips] as const
    }),
  )
  return new Map(found)
}

function stepMs({ connectTimeoutMs }: PoolConfig): number {
  return Math.min(connectTimeoutMs, DOCTOR_STEP_MS_MAX)
}

async function ask(address: SentinelAddress, master: string, config: PoolConfig): Promise<Voice> {
  const { sentinelUsername: username, sentinelPassword: password } = config
  const timeoutMs = stepMs(config)
  const place = sentinelAddressOf(address, address.tls ? config : undefined)
  const client = openControl(place, { username, password, timeoutMs })
  const name = addressKey(address)
  let first: Error | undefined
  client.on('error', (error: Error) => {
    first ??= error
  })
  try {
    return { address: name, report: await readMaster(client, master), error: undefined }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return { address: name, report: undefined, error: first?.message ?? text }
  } finally {
    client.disconnect()
  }
}

function findingsOf(
  { name }: ShardConfig,
  master: string,
  voices: readonly Voice[],
  view: MasterView,
  config: PoolConfig,
): Finding[] {
  const reports = voices.flatMap(({ report }) => report ?? [])
  const failures = voices.filter(({ error }) => error !== undefined)
  const away = failures.map(({ address, error }) => `${address} (${error})`).join(', ')
  const [report] = reports
  if (report === undefined) return [nobodyTells(name, master, voices.length, away)]
  const { host, port, quorum } = report
  const known = Math.max(...reports.map(({ sentinels }) => sentinels.length + 1))
  const findings = [
    well(
      'sentinel',
      name,
      `${reports.length === 1 ? 'one sentinel says' : `${reports.length} sentinels say`} that ${master} is at ${host}:${port}`,
    ),
  ]
  const add = (saw: string, advice: string): void => {
    findings.push(note('sentinel', name, saw, advice))
  }
  if (away !== '')
    add(`no answer from ${away}`, 'Is it up, and is the password of the sentinels right?')
  if (view.differs) {
    add(`the sentinels of ${master} name different servers`, 'Look at their logs: one is behind.')
  }
  if (known < 3 || quorum > known) {
    const saw = `sentinels of ${master}: ${known}, of which ${quorum} must agree`
    add(
      saw,
      'Without three sentinels and a majority of them no replica is promoted when a machine dies.',
    )
  }
  if (report.replicas.length === 0) {
    add(
      `${master} has no replica that could take over`,
      'Start one, or mend the link of the one there is.',
    )
  }
  const failoverMs = report.downAfterMs + ELECTION_MS
  const { requestTimeoutMs } = config
  if (requestTimeoutMs > 0 && failoverMs > requestTimeoutMs) {
    const saw =
      `a failover of ${master} takes ${failoverMs} ms or more, and a request may take ` +
      `${requestTimeoutMs} ms`
    const advice =
      'Requests get errors meanwhile. With requestTimeoutMs above that, those that were not sent wait for the new master.'
    add(saw, advice)
  }
  return findings
}

function nobodyTells(name: string, master: string, asked: number, away: string): Finding {
  const saw =
    away === '' ? `no sentinel knows a master called ${master}` : `no sentinel answers: ${away}`
  const advice =
    away === ''
      ? `${asked === 1 ? 'One was' : `All ${asked} were`} asked. SENTINEL MASTERS at one of them lists the names.`
      : 'Are the sentinels up, and is sentinelPassword right? The others are served meanwhile.'
  return problem('sentinel', name, saw, advice)
}
