/** Our clients as CLIENT LIST shows them, and the filters by which they are listed and killed. */
import { parseInteger } from '../../resp/bytes.ts'
import type { Request } from '../../resp/request.ts'
import { argument, argumentText, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'

/**
 * One line in the format of Redis 7.2 (networking.c, catClientInfoString). What we do not keep per
 * client (buffers that Redis allocates) is 0, and there is no descriptor to tell.
 */
export function clientLine(client: Client, nowMs: number): string {
  const { session, lane, subscriptions, mode } = client
  const { inputBytes, outputBytes } = session
  const facts: readonly (readonly [string, string | number])[] = [
    ['id', session.id],
    ['addr', session.remoteAddress],
    ['laddr', session.localAddress],
    ['fd', -1],
    ['name', client.name],
    ['age', seconds(nowMs - client.connectedAtMs)],
    ['idle', seconds(session.idleMs)],
    ['flags', flagsOf(client)],
    ['db', lane.database ?? 0],
    ['sub', subscriptions?.count('channel') ?? 0],
    ['psub', subscriptions?.count('pattern') ?? 0],
    ['ssub', subscriptions?.count('shardChannel') ?? 0],
    ['multi', mode?.queued ?? -1],
    ['qbuf', inputBytes],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', 0],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', 0],
    ['oll', session.inFlight],
    ['omem', outputBytes],
    ['tot-mem', inputBytes + outputBytes],
    ['events', outputBytes > 0 ? 'rw' : 'r'],
    ['cmd', client.lastCommand === '' ? 'NULL' : client.lastCommand],
    ['user', client.user],
    ['redir', -1],
    ['resp', lane.protocol],
    ['lib-name', client.libraryName],
    ['lib-ver', client.libraryVersion],
  ]
  return `${facts.map(([name, value]) => `${name}=${value}`).join(' ')}\n`
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000))
}

function isSubscriber({ subscriptions }: Client): boolean {
  return subscriptions?.inUse === true
}

function flagsOf(client: Client): string {
  const flags = [
    isSubscriber(client) ? 'P' : '',
    client.mode?.queued === undefined ? '' : 'x',
    client.blocked?.waits ? 'b' : '',
    client.noEvict ? 'e' : '',
    client.noTouch ? 'T' : '',
  ].join('')
  return flags === '' ? 'N' : flags
}

/** Redis's client types; replicas and masters never are clients of ours. */
const TYPES = ['normal', 'master', 'replica', 'slave', 'pubsub']

type ClientTest = (client: Client) => boolean

/** A test, or the text of Redis's error. */
type Parsed = ClientTest | string

export function typeFilter(request: Request, index: number): Parsed {
  const type = argumentText(request, index)
  const wanted = type.toLowerCase()
  if (!TYPES.includes(wanted)) return `ERR Unknown client type '${type}'`
  return (client) => (isSubscriber(client) ? 'pubsub' : 'normal') === wanted
}

export interface KillFilter {
  readonly matches: ClientTest
  readonly skipMe: boolean
}

/** What CLIENT KILL's options select, or Redis's error. `isUser`: whether there is such a user. */
export function parseKillFilter(
  request: Request,
  isUser: (name: string) => boolean,
  nowMs: number,
): KillFilter | string {
  const tests: ClientTest[] = []
  let skipMe = true
  for (let i = 2; i < request.argc; i += 2) {
    if (i + 1 === request.argc) return 'ERR syntax error'
    if (argumentWord(request, i) === 'SKIPME') {
      const answer = argumentWord(request, i + 1)
      if (answer !== 'YES' && answer !== 'NO') return 'ERR syntax error'
      skipMe = answer === 'YES'
      continue
    }
    const test = parseKillOption(request, i, isUser, nowMs)
    if (typeof test === 'string') return test
    tests.push(test)
  }
  return { matches: (client) => tests.every((test) => test(client)), skipMe }
}

function parseKillOption(
  request: Request,
  index: number,
  isUser: (name: string) => boolean,
  nowMs: number,
): Parsed {
  const text = argumentText(request, index + 1)
  switch (argumentWord(request, index)) {
    case 'ID': {
      const id = integerArgument(request, index + 1)
      if (id === undefined || id < 1) return 'ERR client-id should be greater than 0'
      return ({ session }) => session.id === id
    }
    case 'TYPE':
      return typeFilter(request, index + 1)
    case 'ADDR':
      return ({ session }) => session.remoteAddress === text
    case 'LADDR':
      return ({ session }) => session.localAddress === text
    case 'USER':
      return isUser(text) ? ({ user }) => user === text : `ERR No such user '${text}'`
    case 'MAXAGE': {
      const age = integerArgument(request, index + 1)
      if (age === undefined) return 'ERR maxage is not an integer or out of range'
      if (age < 1) return 'ERR maxage should be greater than 0'
      return ({ connectedAtMs }) => seconds(nowMs - connectedAtMs) >= age
    }
    default:
      return 'ERR syntax error'
  }
}

export function integerArgument(request: Request, index: number): number | undefined {
  const bytes = argument(request, index)
  return parseInteger(bytes, 0, bytes.length)
}
