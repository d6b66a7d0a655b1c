/**
 * COMMAND and its subcommands, from our table: a client learns what it can do here, which may be
 * more or less than what one shard has. In the shape of Redis 7 (server.c, addReplyCommandInfo).
 * What the table does not hold (texts, groups, how a command uses its keys) the shards tell.
 */
import { findKeys, KeyPositions } from '../../commands/keys.ts'
import { arityFits, type CommandTable } from '../../commands/lookup.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { encodeValue, integerFrame, type Value } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import { argument, argumentText, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { Sender } from '../core/sender.ts'
import { bounded } from '../edge/local-commands.ts'
import { globMatches } from '../pubsub/glob.ts'
import { categoriesOf, describeCommand, IMPLICIT_CATEGORIES } from './command-description.ts'

const SYNTAX_ERROR = errorFrame('ERR syntax error')
const INVALID_COMMAND = errorFrame('ERR Invalid command specified')
const INVALID_COUNT = errorFrame('ERR Invalid number of arguments specified for command')
const NO_KEYS = errorFrame('ERR The command has no key arguments')
const INVALID_ARGUMENTS = errorFrame('ERR Invalid arguments specified for command')

export function commandCommands(
  table: CommandTable,
  sender: Sender,
): Record<string, SpecialCommand> {
  const everything = new Everything(table)
  const passOn: SpecialCommand = (client, request) => {
    sender.send(client, request, sender.anyShard())
  }
  return {
    command: (client) => client.session.answer(everything.frame(client.lane.protocol)),
    'command|count': (client) => client.session.answer(integerFrame(commandsOf(table).length)),
    'command|info': bounded((client, request) => {
      if (request.argc === 2) client.session.answer(everything.frame(client.lane.protocol))
      else describe(client, request, table)
    }),
    'command|list': (client, request, row) => list(client, request, row, table, passOn),
    'command|getkeys': (client, request, row) => {
      // No command has keys without arguments. How Redis says so depends on its version.
      if (request.argc === 3) passOn(client, request, row)
      else getKeys(client, request, table)
    },
  }
}

/** Commands, without the subcommands that containers have. */
function commandsOf(table: CommandTable): CommandRow[] {
  return table.rows().filter(({ name }) => !name.includes('|'))
}

/** The answer about all commands, made once for each protocol and again when the table has grown. */
class Everything {
  readonly #table: CommandTable
  readonly #frames = new Map<2 | 3, { readonly frame: Buffer; readonly rows: number }>()

  constructor(table: CommandTable) {
    this.#table = table
  }

  frame(protocol: 2 | 3): Buffer {
    const rows = this.#table.rows().length
    const known = this.#frames.get(protocol)
    if (known?.rows === rows) return known.frame
    const frame = encodeValue(commandsOf(this.#table).map(describeCommand), protocol)
    this.#frames.set(protocol, { frame, rows })
    return frame
  }
}

function describe(client: Client, request: ScannedRequest, table: CommandTable): void {
  const described: Value[] = []
  for (let i = 2; i < request.argc; i++) {
    const row = table.byName(argumentText(request, i).toLowerCase())
    described.push(row === undefined ? null : describeCommand(row))
  }
  client.session.answer(encodeValue(described, client.lane.protocol))
}

function list(
  client: Client,
  request: ScannedRequest,
  row: CommandRow,
  table: CommandTable,
  passOn: SpecialCommand,
): void {
  if (request.argc === 2) {
    answerNames(client, table.rows())
    return
  }
  if (request.argc !== 5 || argumentWord(request, 2) !== 'FILTERBY') {
    client.session.answer(SYNTAX_ERROR)
    return
  }
  const wanted = argumentText(request, 4)
  switch (argumentWord(request, 3)) {
    case 'PATTERN': {
      const pattern = wanted.toLowerCase()
      const rows = table.rows().filter(({ name }) => globMatches(pattern, name))
      answerNames(client, rows)
      return
    }
    case 'ACLCAT': {
      const category = `@${wanted.toLowerCase()}`
      const has = (each: CommandRow): boolean => categoriesOf(each).includes(category)
      // The others (@string, @geo ...) are groups, which the table does not hold.
      if (IMPLICIT_CATEGORIES.has(category)) answerNames(client, table.rows().filter(has))
      else passOn(client, request, row)
      return
    }
    case 'MODULE':
      passOn(client, request, row)
      return
    default:
      client.session.answer(SYNTAX_ERROR)
  }
}

function answerNames(client: Client, rows: readonly CommandRow[]): void {
  const names = rows.map(({ name }) => name)
  client.session.answer(encodeValue(names, client.lane.protocol))
}

const positions = new KeyPositions()

function getKeys(client: Client, request: ScannedRequest, table: CommandTable): void {
  const inner = innerRequest(request, 2)
  const row = table.lookup(inner)
  const { session, lane } = client
  if (row === undefined) {
    session.answer(INVALID_COMMAND)
  } else if (row.keySpecs.length === 0 || row.flags.has('pubsub')) {
    // Channels are routed like keys, but are none.
    session.answer(NO_KEYS)
  } else if (!arityFits(row, inner.argc)) {
    session.answer(INVALID_COUNT)
  } else {
    const count = findKeys(row, inner, positions)
    const keys = [...positions.positions.subarray(0, count)].map((index) => argument(inner, index))
    // A script may have no keys; any other command that seems to have none is malformed.
    const mayLackKeys = row.flags.has('no_mandatory_keys')
    if (count === 0 && !mayLackKeys) session.answer(INVALID_ARGUMENTS)
    else session.answer(encodeValue(keys, lane.protocol))
  }
}

/** The request that begins at argument `from` of another. */
function innerRequest(request: Request, from: number): Request {
  return {
    ...pick(request),
    argc: request.argc - from,
    offsets: request.offsets.subarray(2 * from),
  }
}

function pick({ bytes, frameStart, frameEnd }: Request) {
  return { bytes, frameStart, frameEnd }
}
