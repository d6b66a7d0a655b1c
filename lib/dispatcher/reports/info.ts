/**
 * INFO: one text out of all shards' (counts and memory add up), then a line for each shard and what
 * the ambassador says of itself. A shard that is away is listed as down and breaks nothing: clients
 * read INFO before they call a connection ready.
 */
import type { ScannedRequest } from '../../downstream/session.ts'
import { NO_ANSWER } from '../../failures.ts'
import { encodeValue, requestFrame, VerbatimText } from '../../resp/encode.ts'
import { isError } from '../../resp/reply-reader.ts'
import { readReply } from '../../resp/reply-value.ts'
import {
  asOneRedis,
  formatInfo,
  type InfoLine,
  type InfoSection,
  mergeInfo,
  parseInfo,
} from '../../routing/merge/merge-info.ts'
import type { Shard } from '../../upstream/shard.ts'
import { answerWith, type Others } from '../colleagues/colleagues.ts'
import { argumentText } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import { type Collected, Collector } from '../core/collector.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { ambassadorFacts, type FactSources, type Identity, sumFacts } from './ambassador-facts.ts'

export interface InfoOptions {
  readonly sender: Sender
  readonly facts: FactSources
  /** Of the entrance. */
  readonly pool: string | undefined
  readonly others: Others
  readonly identity: Identity
  readonly maxClients: number
  /** The port that clients connect to; 0: none. */
  readonly port: () => number
}

/** Of Redis's sections those that INFO without arguments leaves out. */
const NOT_BY_DEFAULT = new Set(['commandstats', 'latencystats', 'debug'])
/** Redis's own; any other section belongs to a module, and `all` leaves it out. */
const REDIS_SECTIONS = new Set(
  'server clients memory persistence stats replication cpu modules errorstats cluster keyspace'
    .split(' ')
    .concat([...NOT_BY_DEFAULT]),
)
const OURS = new Set(['shards', 'ambassador'])

export function infoCommands(options: InfoOptions): Record<string, SpecialCommand> {
  return { info: (client, request) => info(client, request, options) }
}

function info(client: Client, request: ScannedRequest, options: InfoOptions): void {
  const { sender } = options
  const { session, lane } = client
  const names = Array.from({ length: request.argc - 1 }, (_, i) => {
    return argumentText(request, i + 1).toLowerCase()
  })
  if (names.length > 0 && names.every((name) => name === 'ambassador')) {
    const own = ambassadorFacts(options.facts, options.identity)
    answerWith(options.others, client, { kind: 'facts', pool: options.pool }, (others) => {
      return textFrame([ambassadorSection(sumFacts(own, others))], lane.protocol)
    })
    return
  }
  const ticket = session.open()
  const { shards } = sender
  const collector = new Collector(shards.length, (collected) => {
    const told = toldBy(collected)
    withFacts(options, (facts) => {
      if (facts === undefined) {
        session.failed(ticket, NO_ANSWER)
        return
      }
      const frame = makeReply(told, names, lane.protocol, shards, { ...options, facts })
      session.reply(ticket, frame, 0, frame.length, true)
    })
  })
  const frame = requestFrame(['INFO', ...sectionsToAskFor(names)])
  for (const [part, shard] of shards.entries()) {
    sender.sendFrame(client, frame, shard, collector, part)
  }
}

/** What the reply is made of, besides what shards say. */
type Told = Omit<InfoOptions, 'facts'> & { readonly facts: Facts }

type Facts = ReadonlyMap<string, string | number>

/** Those of all workers; undefined: one lives and is silent. */
function withFacts(
  { facts, identity, pool, others }: InfoOptions,
  done: (facts: Facts | undefined) => void,
): void {
  const own = ambassadorFacts(facts, identity)
  if (others === undefined) done(own)
  else {
    others.ask({ kind: 'facts', pool }, (answers) => {
      done(answers === undefined ? undefined : sumFacts(own, answers))
    })
  }
}

/** Redis before 7 takes one section at most, so several are picked here from everything. */
function sectionsToAskFor(names: readonly string[]): string[] {
  const [only] = names
  if (only === undefined || names.every((name) => name === 'default' || OURS.has(name))) return []
  return names.length === 1 ? [only] : ['everything']
}

/** What the shards have said. */
interface ToldByShards {
  /** Undefined: the shard is away, or has answered with an error. */
  readonly texts: readonly (string | undefined)[]
  /** The answer when no shard has told anything. */
  readonly refusal: Buffer
}

/** The replies themselves are gone when the collector has called back. */
function toldBy(collected: Collected): ToldByShards {
  const replies = Array.from({ length: collected.count }, (_, part) => collected.frame(part))
  const [first] = replies
  return {
    texts: replies.map(textOf),
    refusal: first === undefined ? (collected.error?.frame ?? Buffer.alloc(0)) : Buffer.from(first),
  }
}

function makeReply(
  { texts, refusal }: ToldByShards,
  names: readonly string[],
  protocol: 2 | 3,
  shards: readonly Shard[],
  options: Told,
): Buffer {
  const answered = texts.flatMap((text) => text ?? [])
  // No shard answered: the reason is the answer, unless only our own sections were asked for.
  if (answered.length === 0 && !names.every((name) => OURS.has(name) && names.length > 0)) {
    return refusal
  }
  const merged = mergeInfo(answered)
  // A cluster may have one master.
  const told = options.sender.moving === undefined ? merged : asOneRedis(merged)
  const sections = told.map((section) => withOurs(section, options))
  const all = [...sections, shardsSection(shards, texts), ambassadorSection(options.facts)]
  return textFrame(
    all.filter(({ title }) => isWanted(title.toLowerCase(), names)),
    protocol,
  )
}

function textOf(reply: Buffer | undefined): string | undefined {
  if (reply === undefined || isError(reply)) return undefined
  const value = readReply(reply)
  const text = value instanceof VerbatimText ? value.bytes : value
  return Buffer.isBuffer(text) ? text.toString('latin1') : undefined
}

function isWanted(section: string, names: readonly string[]): boolean {
  if (names.length === 0) return !NOT_BY_DEFAULT.has(section)
  const isKnown = REDIS_SECTIONS.has(section) || OURS.has(section)
  // A single name was sent as it is, and may stand for several sections (`modules`).
  const [only = ''] = names
  const sentAsItIs = names.length === 1 && !OURS.has(only)
  return names.some((name) => {
    if (name === 'default') return isKnown && !NOT_BY_DEFAULT.has(section)
    if (name === 'all') return isKnown && section !== 'debug'
    return name === 'everything' || name === section || (sentAsItIs && !OURS.has(section))
  })
}

/**
 * The shards' clients are our connections; the client wants to know about the ambassador's clients.
 */
function withOurs(section: InfoSection, options: Told): InfoSection {
  const { facts } = options
  const ours: Readonly<Record<string, string | number | undefined>> = {
    connected_clients: facts.get('ambassador_clients'),
    blocked_clients: facts.get('ambassador_blocked_clients'),
    maxclients: options.maxClients,
    tcp_port: options.port(),
  }
  const lines = section.lines.map(([name, value]): InfoLine => [name, `${ours[name] ?? value}`])
  return { title: section.title, lines }
}

/** `shard0:name=a,state=up,address=10.0.0.1:6379,...`, like Redis's `slave0:`. */
function shardsSection(
  shards: readonly Shard[],
  texts: readonly (string | undefined)[],
): InfoSection {
  const lines = shards.map(({ name, address }, i): InfoLine => {
    const text = texts[i]
    const state = text === undefined ? 'down' : 'up'
    const figures = text === undefined ? '' : shardFigures(text)
    return [`shard${i}`, `name=${name},state=${state},address=${address}${figures}`]
  })
  return { title: 'Shards', lines }
}

function shardFigures(text: string): string {
  const sections = parseInfo(text)
  const values = new Map(sections.flatMap(({ lines }) => lines))
  const databases = sections.find(({ title }) => title === 'Keyspace')?.lines ?? []
  const keys = databases.reduce((sum, [, value]) => sum + Number(/^keys=(\d+)/.exec(value)?.[1]), 0)
  const of = (name: string): string => values.get(name) ?? ''
  return [
    '',
    `used_memory=${of('used_memory')}`,
    `keys=${keys}`,
    `ops_per_sec=${of('instantaneous_ops_per_sec')}`,
    `clients=${of('connected_clients')}`,
    `version=${of('redis_version')}`,
  ].join(',')
}

function ambassadorSection(facts: Facts): InfoSection {
  return { title: 'Ambassador', lines: [...facts].map(([name, value]) => [name, `${value}`]) }
}

function textFrame(sections: readonly InfoSection[], protocol: 2 | 3): Buffer {
  return encodeValue(new VerbatimText(Buffer.from(formatInfo(sections), 'latin1')), protocol)
}
