/**
 * CLIENT and its subcommands, about the ambassador's own clients, with Redis's formats and errors
 * (networking.c, clientCommand).
 */
import { wrongSubcommandArity } from '../../commands/errors.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame, errorText } from '../../errors.ts'
import { Failure, NO_ANSWER } from '../../failures.ts'
import {
  encodeValue,
  integerFrame,
  nullFrame,
  OK,
  type Value,
  VerbatimText,
} from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import { answerWith, type Others, type Question } from '../colleagues/colleagues.ts'
import { argumentText, argumentWord, wordsOf } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { ListedClients, SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { clientLine, integerArgument, parseKillFilter, typeFilter } from './client-list.ts'
import { BAD_NAME, isClientName } from './hello-request.ts'
import { bounded } from './local-commands.ts'
import { unblockClient } from './unblock.ts'

const SYNTAX_ERROR = errorFrame('ERR syntax error')
const NO_SUCH_CLIENT = errorFrame('ERR No such client')
const BAD_ID = errorFrame('ERR Invalid client ID')
const NOT_AN_INTEGER = errorFrame('ERR value is not an integer or out of range')
const NOTHING = Buffer.alloc(0)
const BAD_REASON = errorFrame('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

export interface ClientCommandOptions {
  /** That of the entrance; undefined: it leads to all pools. */
  readonly pool: string | undefined
  readonly clients: ListedClients
  readonly others: Others
  readonly sender: Sender
  /** Whether a client may authenticate as this user. */
  readonly isUser: (name: string) => boolean
}

export function clientCommands(options: ClientCommandOptions): Record<string, SpecialCommand> {
  return {
    'client|id': ({ session }) => session.answer(integerFrame(session.id)),
    'client|getname': ({ session, name, lane }) => {
      session.answer(name === '' ? nullFrame(lane.protocol) : encodeValue(Buffer.from(name), 2))
    },
    'client|setname': setName,
    'client|setinfo': setInfo,
    'client|info': (client) => client.session.answer(linesFrame(client, linesOf([client]))),
    'client|list': bounded((client, request) => list(client, request, options)),
    'client|kill': (client, request) => kill(client, request, options),
    'client|no-evict': (client, request) => {
      toggle(client, request, (on) => {
        client.noEvict = on
      })
    },
    'client|no-touch': (client, request) => {
      toggle(client, request, (on) => {
        client.noTouch = on
      })
    },
    'client|reply': reply,
    'client|unblock': (client, request) => unblock(client, request, options),
    'client|getredir': ({ session }) => session.answer(integerFrame(-1)),
    'client|trackinginfo': ({ session, lane }) => {
      session.answer(encodeValue(NOT_TRACKING, lane.protocol))
    },
  }
}

const NOT_TRACKING = new Map<string, Value>([
  ['flags', new Set(['off'])],
  ['redirect', -1],
  ['prefixes', []],
])

function setName(client: Client, request: ScannedRequest): void {
  const name = argumentText(request, 2)
  if (isClientName(name)) client.name = name
  client.session.answer(isClientName(name) ? OK : BAD_NAME)
}

function setInfo(client: Client, request: ScannedRequest): void {
  const option = argumentText(request, 2)
  const value = argumentText(request, 3)
  const name = option.toLowerCase()
  const { session } = client
  if (name !== 'lib-name' && name !== 'lib-ver') {
    session.answer(errorFrame(`ERR Unrecognized option '${errorText(option)}'`))
  } else if (!isClientName(value)) {
    session.answer(
      errorFrame(`ERR ${errorText(option)} cannot contain spaces, newlines or special characters.`),
    )
  } else {
    if (name === 'lib-name') client.libraryName = value
    else client.libraryVersion = value
    session.answer(OK)
  }
}

function linesFrame({ lane }: Client, lines: string): Buffer {
  return encodeValue(new VerbatimText(Buffer.from(lines, 'latin1')), lane.protocol)
}

export function linesOf(listed: readonly Client[]): string {
  const nowMs = Date.now()
  return listed.map((each) => clientLine(each, nowMs)).join('')
}

function list(client: Client, request: ScannedRequest, options: ClientCommandOptions): void {
  const { clients, pool, others } = options
  const listed = listedBy(request, clients)
  if (Buffer.isBuffer(listed)) {
    client.session.answer(listed)
    return
  }
  const own = linesOf(listed)
  answerWith(others, client, { kind: 'list', pool, words: wordsOf(request) }, (lines) => {
    return linesFrame(client, own + lines.join(''))
  })
}

/** The clients that CLIENT LIST with these arguments lists, or Redis's error. */
export function listedBy(request: Request, clients: ListedClients): readonly Client[] | Buffer {
  const option = request.argc > 3 ? argumentWord(request, 2) : undefined
  if (request.argc === 2) return [...clients.values()]
  if (option === 'ID') return listedById(request, clients)
  if (option !== 'TYPE' || request.argc !== 4) return SYNTAX_ERROR
  const filter = typeFilter(request, 3)
  return typeof filter === 'string' ? safeError(filter) : [...clients.values()].filter(filter)
}

function listedById(request: Request, clients: ListedClients): readonly Client[] | Buffer {
  const listed: Client[] = []
  for (let i = 3; i < request.argc; i++) {
    const id = integerArgument(request, i)
    if (id === undefined) return BAD_ID
    const found = clients.get(id)
    if (found !== undefined) listed.push(found)
  }
  return listed
}

function kill(client: Client, request: ScannedRequest, options: ClientCommandOptions): void {
  const { pool, others } = options
  const killed = killedBy(request, options, client)
  if (Buffer.isBuffer(killed)) {
    client.session.answer(killed)
    return
  }
  const isOldForm = request.argc === 3
  const frameOf = (count: number): Buffer => {
    if (!isOldForm) return integerFrame(count)
    return count > 0 ? OK : NO_SUCH_CLIENT
  }
  const question = { kind: 'kill', pool, words: wordsOf(request) } as const
  // An address is that of one client.
  const asked = isOldForm && killed.length > 0 ? undefined : others
  answerWith(asked, client, question, (counts) => {
    return frameOf(counts.reduce((sum, count) => sum + count, killed.length))
  })
  for (const each of killed) end(each, client)
}

/**
 * The clients that CLIENT KILL with these arguments closes, or Redis's error. `asking`: the client that
 * asks, if it is one of these.
 */
export function killedBy(
  request: Request,
  { clients, isUser }: Pick<ClientCommandOptions, 'clients' | 'isUser'>,
  asking: Client | undefined,
): readonly Client[] | Buffer {
  const all = [...clients.values()]
  if (request.argc === 3) {
    // The old form takes an address, which may be the client's own.
    const address = argumentText(request, 2)
    return all.filter(({ session }) => session.remoteAddress === address).slice(0, 1)
  }
  const filter = parseKillFilter(request, isUser, Date.now())
  if (typeof filter === 'string') return safeError(filter)
  return all.filter((each) => filter.matches(each) && !(filter.skipMe && each === asking))
}

/** The client that asks still gets its answer. */
function end(killed: Client, asking: Client): void {
  if (killed === asking) killed.session.closeAfterReplies()
  else killed.session.destroy()
}

function toggle(client: Client, request: ScannedRequest, set: (on: boolean) => void): void {
  const word = argumentWord(request, 2)
  if (word === 'ON' || word === 'OFF') set(word === 'ON')
  client.session.answer(word === 'ON' || word === 'OFF' ? OK : SYNTAX_ERROR)
}

/** OFF and SKIP have no reply of their own. */
function reply({ session }: Client, request: ScannedRequest): void {
  switch (argumentWord(request, 2)) {
    case 'ON':
      session.muting.on()
      session.answer(OK)
      break
    case 'OFF':
      session.muting.off()
      session.answer(NOTHING)
      break
    case 'SKIP':
      session.muting.skip()
      session.answer(NOTHING)
      break
    default:
      session.answer(SYNTAX_ERROR)
  }
}

function unblock(client: Client, request: ScannedRequest, options: ClientCommandOptions): void {
  const { pool, clients, others, sender } = options
  const { session } = client
  if (request.argc > 4) {
    session.answer(wrongSubcommandArity(request))
    return
  }
  const reason = request.argc > 3 ? argumentWord(request, 3) : 'TIMEOUT'
  if (reason !== 'TIMEOUT' && reason !== 'ERROR') {
    session.answer(BAD_REASON)
    return
  }
  const id = integerArgument(request, 2)
  if (id === undefined) {
    session.answer(NOT_AN_INTEGER)
    return
  }
  const target = clients.get(id)
  if (target === undefined) {
    unblockElsewhere(client, { kind: 'unblock', pool, id, reason }, others)
    return
  }
  const ticket = session.open()
  unblockClient(target, reason, { asking: client, sender }, (outcome) => {
    if (typeof outcome === 'boolean') session.settle(ticket, integerFrame(outcome ? 1 : 0))
    else if (outcome instanceof Failure) session.failed(ticket, outcome)
    else session.reply(ticket, outcome, 0, outcome.length, true)
  })
}

function unblockElsewhere(client: Client, question: Question<'unblock'>, others: Others): void {
  answerWith(others, client, question, (answers) => {
    if (answers.includes(undefined)) return NO_ANSWER.frame
    return integerFrame(answers.includes(true) ? 1 : 0)
  })
}

/** Client's bytes may be in it. */
function safeError(text: string): Buffer {
  return errorFrame(text.replace(/[\r\n]/g, ' '))
}
