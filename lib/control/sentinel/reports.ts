/** What sentinels and servers answer, made into values. Everything that makes no sense is left out. */
import { SENTINEL_REPLICAS_MAX } from '../../limits.ts'
import type { RedisClient } from '../ioredis.ts'

/** Host and port as they were told, unchecked. */
export interface ToldAddress {
  readonly host: string
  readonly port: string
}

export interface MasterReport extends ToldAddress {
  readonly epoch: number
  /** How many sentinels must agree that a master is down. */
  readonly quorum: number
  /** After how long without an answer a master is taken for down, milliseconds. */
  readonly downAfterMs: number
  /** `master`, and perhaps `s_down`, `o_down`, `failover_in_progress`. */
  readonly flags: readonly string[]
  /** Those that can be promoted. */
  readonly replicas: readonly ToldAddress[]
  /** Other sentinels of this master. */
  readonly sentinels: readonly ToldSentinel[]
}

export interface ToldSentinel extends ToldAddress {
  /** What that sentinel answers to SENTINEL MYID; undefined: not told. */
  readonly id: string | undefined
}

/** Replicas with one of these flags cannot be promoted. */
const AWAY = new Set(['s_down', 'o_down', 'disconnected'])

/** Undefined: the sentinel does not know a master of this name. Rejects with the sentinel's own error. */
export async function readMaster(
  client: RedisClient,
  master: string,
): Promise<MasterReport | undefined> {
  // In one write, so that the answers describe nearly the same moment.
  const [address, facts, replicas, sentinels] = await Promise.all([
    client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master),
    client.call('SENTINEL', 'MASTER', master).catch(unknownAsUndefined),
    client.call('SENTINEL', 'REPLICAS', master).catch(unknownAsUndefined),
    client.call('SENTINEL', 'SENTINELS', master).catch(unknownAsUndefined),
  ])
  if (!Array.isArray(address)) return undefined
  const fields = fieldsOf(facts)
  return {
    host: String(address[0]),
    port: String(address[1]),
    epoch: numberOf(fields, 'config-epoch'),
    quorum: numberOf(fields, 'quorum'),
    downAfterMs: numberOf(fields, 'down-after-milliseconds'),
    flags: flagsOf(fields),
    replicas: instancesOf(replicas).filter(canServe).map(addressOf),
    sentinels: instancesOf(sentinels).map((fields) => {
      return { ...addressOf(fields), id: fields.get('runid') || undefined }
    }),
  }
}

/** Who the sentinel is, by whichever address it is reached; undefined before Redis 6.2. */
export async function readSentinelId(client: RedisClient): Promise<string | undefined> {
  const id = await client.call('SENTINEL', 'MYID').catch(refusalAsUndefined)
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** The first word of ROLE: `master`, `slave`, `sentinel`; undefined for anything else. */
export async function readRole(client: RedisClient): Promise<string | undefined> {
  const reply = await client.call('ROLE')
  return Array.isArray(reply) ? String(reply[0]) : undefined
}

type Fields = ReadonlyMap<string, string>

/** `-ERR No such master with that name`; any other error stays one. */
function unknownAsUndefined(error: unknown): undefined {
  if (error instanceof Error && /No such master/.test(error.message)) return undefined
  throw error
}

/** A sentinel that does not know the question; without an answer there is no connection any more. */
function refusalAsUndefined(error: unknown): undefined {
  if (error instanceof Error && error.name === 'ReplyError') return undefined
  throw error
}

/** A flat list of names and values. */
function fieldsOf(reply: unknown): Fields {
  if (!Array.isArray(reply)) return new Map()
  const pairs = reply.flatMap((name, i): [string, string][] => {
    return i % 2 === 0 ? [[String(name), String(reply[i + 1])]] : []
  })
  return new Map(pairs)
}

function instancesOf(reply: unknown): Fields[] {
  return Array.isArray(reply) ? reply.slice(0, SENTINEL_REPLICAS_MAX).map(fieldsOf) : []
}

function addressOf(fields: Fields): ToldAddress {
  return { host: fields.get('ip') ?? '', port: fields.get('port') ?? '' }
}

function canServe(fields: Fields): boolean {
  return !flagsOf(fields).some((flag) => AWAY.has(flag))
}

function flagsOf(fields: Fields): string[] {
  return fields.get('flags')?.split(',') ?? []
}

function numberOf(fields: Fields, name: string): number {
  const number = Number(fields.get(name))
  return Number.isSafeInteger(number) && number >= 0 ? number : 0
}
