/**
 * HELLO, AUTH, SELECT and RESET: they move a client from lane to lane and never change a shared
 * connection. A lane that no client has used yet is tried on every shard first, while the client
 * waits, so that the answer is the shards' own.
 */

import type { Greeting } from '../../control/greeting.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame, errorText } from '../../errors.ts'
import { OVERLOADED } from '../../failures.ts'
import { AUTH_FAILURES_MAX } from '../../limits.ts'
import { parseInteger } from '../../resp/bytes.ts'
import { encodeValue, OK, SimpleString, type Value } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import type { LaneSettings, Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argument, argumentText, argumentWord } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { EdgeUsers } from './edge-users.ts'

export interface HandshakeOptions {
  readonly lanes: Lanes
  readonly shards: readonly Shard[]
  readonly users: EdgeUsers
  /** AUTH is for the shards to judge, with Redis's own users. */
  readonly passAuthThrough: boolean
  /** What the shards say of themselves. */
  readonly serverGreeting: () => Greeting
}

const NO_PASSWORD = errorFrame(
  'ERR AUTH <password> called without any password configured for the default user. ' +
    'Are you sure your configuration is correct?',
)
const WRONG_PASSWORD = errorFrame('WRONGPASS invalid username-password pair or user is disabled.')
const NOAUTH_HELLO = errorFrame(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> ' +
    'AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
    'version at the same time',
)
const NOPROTO = errorFrame('NOPROTO unsupported protocol version')
const NOT_AN_INTEGER = errorFrame('ERR Protocol version is not an integer or out of range')
const BAD_DATABASE = errorFrame('ERR value is not an integer or out of range')
const DATABASE_OUT_OF_RANGE = errorFrame('ERR DB index is out of range')
export const BAD_NAME = errorFrame(
  'ERR Client names cannot contain spaces, newlines or special characters.',
)

export function handshakeCommands(options: HandshakeOptions): Record<string, SpecialCommand> {
  return {
    auth: afterReplies((client, request) => auth(client, request, options)),
    hello: afterReplies((client, request) => hello(client, request, options)),
    select: afterReplies((client, request) => select(client, request, options)),
    reset: afterReplies((client) => reset(client, options)),
  }
}

/**
 * What the client sent before is on its way over the old lane or a lease: it must be neither
 * overtaken by what goes over the new one nor cut off.
 */
function afterReplies(command: SpecialCommand): SpecialCommand {
  return (client, request, row) => {
    if (client.session.inFlight > 0) client.session.defer(request)
    else command(client, request, row)
  }
}

interface Presented {
  readonly username: string
  readonly password: Buffer
}

function auth(client: Client, request: ScannedRequest, options: HandshakeOptions): void {
  const { session } = client
  if (request.argc > 3) {
    session.answer(errorFrame('ERR syntax error'))
    return
  }
  if (!options.passAuthThrough && !options.users.required && request.argc === 2) {
    session.answer(NO_PASSWORD)
    return
  }
  const presented = {
    username: request.argc === 3 ? argument(request, 1).toString() : 'default',
    password: argument(request, request.argc - 1),
  }
  authenticate(client, presented, options, {}, (error) => error ?? OK)
}

/** Changes to a lane's settings; the answer is made from the outcome. */
type LaneChange = Partial<LaneSettings>
type Answer = (error: Buffer | undefined) => Buffer

/** Checks the credentials, moves the client and answers, at once or after asking the shards. */
function authenticate(
  client: Client,
  presented: Presented,
  options: HandshakeOptions,
  change: LaneChange,
  answer: Answer,
): void {
  if (options.passAuthThrough) {
    const credentials = {
      username: presented.username,
      password: presented.password.toString(),
    }
    moveTo(client, options, { ...change, credentials }, (error) => {
      if (error === undefined) logIn(client, presented.username)
      else countWrongPassword(client)
      return answer(error)
    })
    return
  }
  if (!options.users.accepts(presented.username, presented.password)) {
    client.session.answer(answer(WRONG_PASSWORD))
    countWrongPassword(client)
    return
  }
  logIn(client, presented.username)
  moveTo(client, options, change, answer)
}

function logIn(client: Client, user: string): void {
  client.session.authenticated = true
  client.user = user
}

/** Whoever guesses passwords has to connect again and again. */
function countWrongPassword(client: Client): void {
  client.wrongPasswords++
  if (client.wrongPasswords >= AUTH_FAILURES_MAX) client.session.closeAfterReplies()
}

interface HelloRequest {
  readonly protocol: 2 | 3 | undefined
  readonly presented: Presented | undefined
  readonly name: string | undefined
}

function hello(client: Client, request: ScannedRequest, options: HandshakeOptions): void {
  const { session } = client
  const parsed = parseHello(request)
  if (Buffer.isBuffer(parsed)) {
    session.answer(parsed)
    return
  }
  if (!session.authenticated && parsed.presented === undefined) {
    session.answer(NOAUTH_HELLO)
    return
  }
  const protocol = parsed.protocol ?? client.lane.protocol
  const answer: Answer = (error) => {
    if (error !== undefined) return error
    if (parsed.name !== undefined) client.name = parsed.name
    return greetingFor(client, options.serverGreeting())
  }
  const { presented } = parsed
  if (presented === undefined) moveTo(client, options, { protocol }, answer)
  else authenticate(client, presented, options, { protocol }, answer)
}

/** What the client asks for, or the error that Redis gives (networking.c, helloCommand). */
function parseHello(request: Request): HelloRequest | Buffer {
  let protocol: 2 | 3 | undefined
  let presented: Presented | undefined
  let name: string | undefined
  let at = 1
  if (request.argc >= 2) {
    const version = parseInteger(argument(request, 1), 0, argument(request, 1).length)
    if (version === undefined) return NOT_AN_INTEGER
    if (version !== 2 && version !== 3) return NOPROTO
    protocol = version
    at = 2
  }
  while (at < request.argc) {
    const word = argumentWord(request, at)
    if (word === 'AUTH' && at + 2 < request.argc) {
      presented = {
        username: argument(request, at + 1).toString(),
        password: Buffer.from(argument(request, at + 2)),
      }
      at += 3
    } else if (word === 'SETNAME' && at + 1 < request.argc) {
      name = argumentText(request, at + 1)
      if (!isClientName(name)) return BAD_NAME
      at += 2
    } else {
      return errorFrame(
        `ERR Syntax error in HELLO option '${errorText(argumentText(request, at))}'`,
      )
    }
  }
  return { protocol, presented, name }
}

/** Printable ASCII without spaces, as Redis demands of names. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name)
}

function greetingFor(client: Client, { server, version = '', modules }: Greeting): Buffer {
  const { protocol } = client.lane
  const facts = new Map<string, Value>([
    ['server', server],
    ['version', version],
    ['proto', protocol],
    ['id', client.session.id],
    ['mode', 'standalone'],
    ['role', 'master'],
    ['modules', modules],
  ])
  return encodeValue(facts, protocol)
}

function select(client: Client, request: ScannedRequest, options: HandshakeOptions): void {
  const text = argument(request, 1)
  const database = parseInteger(text, 0, text.length)
  if (database === undefined) client.session.answer(BAD_DATABASE)
  else if (database < 0) client.session.answer(DATABASE_OUT_OF_RANGE)
  else moveTo(client, options, { database }, (error) => error ?? OK)
}

/** RESET ends everything that a connection can be in: transaction, subscriptions, protocol, login. */
function reset(client: Client, options: HandshakeOptions): void {
  client.subscriptions?.abandon()
  client.subscriptions = undefined
  client.mode?.abandon()
  client.mode = undefined
  client.name = ''
  client.user = 'default'
  client.noEvict = false
  client.noTouch = false
  client.session.dropReplies(0)
  client.session.authenticated = !options.users.required && !options.passAuthThrough
  const { lanes } = options
  if (client.lane !== lanes.first) lanes.leave(client.lane)
  client.lane = lanes.first
  client.session.answer(encodeValue(new SimpleString('RESET'), 2))
}

/**
 * Moves the client to the lane that differs from its own by `change` and answers the request under
 * way with what `answer` makes of the outcome.
 */
function moveTo(
  client: Client,
  options: HandshakeOptions,
  change: LaneChange,
  answer: Answer,
): void {
  const { session } = client
  const { lanes, shards } = options
  const lane = lanes.enter({ ...settingsOf(client), ...change })
  if (lane === undefined) {
    session.refuse(OVERLOADED)
    return
  }
  const tag = session.open()
  const settle = (error: Buffer | undefined): void => {
    if (error === undefined && !session.closed) {
      if (client.lane !== lanes.first) lanes.leave(client.lane)
      client.lane = lane
    } else {
      lanes.leave(lane)
    }
    session.settle(tag, answer(error))
  }
  if (lanes.isProven(lane) || lane === lanes.first) {
    settle(undefined)
    return
  }
  session.hold()
  let unsettled = shards.length
  let error: Buffer | undefined
  for (const shard of shards) {
    shard.connectionFor(lane, session.id).onceSettled((rejection) => {
      if (rejection !== undefined) error ??= errorFrame(rejection)
      if (--unsettled > 0) return
      if (shards.every((each) => each.connectionFor(lane, session.id).state === 'ready'))
        lanes.prove(lane)
      settle(error)
      session.release()
    })
  }
}

function settingsOf({ lane }: Client): LaneSettings {
  const { protocol, database, credentials } = lane
  return { protocol, database, credentials }
}
