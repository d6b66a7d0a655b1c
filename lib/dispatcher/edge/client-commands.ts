/**
 * CLIENT and its subcommands, about the ambassador's own clients, with Redis's formats and errors
 * (networking.c, clientCommand).
 */
import { wrongSubcommandArity } from '../../commands/errors.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame, errorText } from '../../errors.ts'
import {
  encodeValue,
  integerFrame,
  nullFrame,
  OK,
  requestFrame,
  type Value,
  VerbatimText,
} from '../../resp/encode.ts'
import { isRefusal } from '../../resp/refusal.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import { argumentText, argumentWord } from '../core/arguments.ts'
import type { Blocked, Client, UnblockReason } from '../core/client.ts'
import type { ListedClients, SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { clientLine, integerArgument, parseKillFilter, typeFilter } from './client-list.ts'
import { BAD_NAME, isClientName } from './hello-request.ts'
import { bounded } from './local-commands.ts'

const SYNTAX_ERROR = errorFrame('ERR syntax error')
const NO_SUCH_CLIENT = errorFrame('ERR No such client')
const BAD_ID = errorFrame('ERR Invalid client ID')
const NOT_AN_INTEGER = errorFrame('ERR value is not an integer or out of range')
const NOTHING = Buffer.alloc(0)
const BAD_REASON = errorFrame('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

export interface ClientCommandOptions {
  readonly clients: ListedClients
  readonly sender: Sender
  /** Whether a client may authenticate as this user. */
  readonly isUser: (name: string) => boolean
}

export function clientCommands(options: ClientCommandOptions): Record<string, SpecialCommand> {
  const { clients } = options
  return {
    'client|id': ({ session }) => session.answer(integerFrame(session.id)),
    'client|getname': ({ session, name, lane }) => {
      session.answer(name === '' ? nullFrame(lane.protocol) : encodeValue(Buffer.from(name), 2))
    },
    'client|setname': setName,
    'client|setinfo': setInfo,
    'client|info': (client) => answerLines(client, [client]),
    'client|list': bounded((client, request) => list(client, request, clients)),
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

function answerLines(client: Client, listed: Iterable<Client>): void {
  const nowMs = Date.now()
  let text = ''
  for (const each of listed) text += clientLine(each, nowMs)
  const bytes = Buffer.from(text, 'latin1')
  client.session.answer(encodeValue(new VerbatimText(bytes), client.lane.protocol))
}

function list(client: Client, request: ScannedRequest, clients: ListedClients): void {
  const option = request.argc > 3 ? argumentWord(request, 2) : undefined
  if (request.argc === 2) {
    answerLines(client, clients.values())
  } else if (option === 'TYPE' && request.argc === 4) {
    const filter = typeFilter(request, 3)
    if (typeof filter === 'string') client.session.answer(safeError(filter))
    else answerLines(client, [...clients.values()].filter(filter))
  } else if (option === 'ID') {
    listById(client, request, clients)
  } else {
    client.session.answer(SYNTAX_ERROR)
  }
}

function listById(client: Client, request: ScannedRequest, clients: ListedClients): void {
  const listed: Client[] = []
  for (let i = 3; i < request.argc; i++) {
    const id = integerArgument(request, i)
    if (id === undefined) {
      client.session.answer(BAD_ID)
      return
    }
    const found = clients.get(id)
    if (found !== undefined) listed.push(found)
  }
  answerLines(client, listed)
}

function kill(client: Client, request: ScannedRequest, options: ClientCommandOptions): void {
  const { isUser } = options
  const clients = [...options.clients.values()]
  if (request.argc === 3) {
    // The old form takes an address, which may be the client's own.
    const address = argumentText(request, 2)
    const killed = clients.find(({ session }) => session.remoteAddress === address)
    client.session.answer(killed === undefined ? NO_SUCH_CLIENT : OK)
    if (killed !== undefined) end(killed, client)
    return
  }
  const filter = parseKillFilter(request, isUser, Date.now())
  if (typeof filter === 'string') {
    client.session.answer(safeError(filter))
    return
  }
  const killed = clients.filter((each) => {
    return filter.matches(each) && !(filter.skipMe && each === client)
  })
  client.session.answer(integerFrame(killed.length))
  for (const each of killed) end(each, client)
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

/**
 * The shard itself unblocks the connection on which the client waits: only it knows whether an
 * element has come first. Where it does not let us, the wait is cut short.
 */
function unblock(
  client: Client,
  request: ScannedRequest,
  { clients, sender }: ClientCommandOptions,
): void {
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
  const blocked = target?.blocked
  if (target === undefined || blocked === undefined) session.answer(integerFrame(0))
  else unblockOnShard(client, target, blocked, reason, sender)
}

function unblockOnShard(
  client: Client,
  target: Client,
  blocked: Blocked,
  reason: UnblockReason,
  sender: Sender,
): void {
  const { session } = client
  const ticket = session.open()
  const cutShort = (): void => {
    if (target.blocked !== blocked) session.settle(ticket, integerFrame(0))
    else blocked.cutShort(reason, (ended) => session.settle(ticket, integerFrame(ended ? 1 : 0)))
  }
  const shardClientId = blocked.shardClientId()
  if (shardClientId === undefined) {
    cutShort()
    return
  }
  blocked.unblocked = true
  const frame = requestFrame(['CLIENT', 'UNBLOCK', shardClientId, reason])
  const sink: ReplySink = {
    reply: (_ticket, bytes, start, end, last) => {
      if (isRefusal(bytes, start)) cutShort()
      else session.reply(ticket, bytes, start, end, last)
    },
    failed: (_ticket, error) => session.failed(ticket, error),
  }
  sender.sendFrame(client, frame, blocked.shard, sink, 0)
}

/** Client's bytes may be in it. */
function safeError(text: string): Buffer {
  return errorFrame(text.replace(/[\r\n]/g, ' '))
}
