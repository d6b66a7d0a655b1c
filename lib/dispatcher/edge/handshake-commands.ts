/**
 * HELLO, AUTH, SELECT and RESET: they move a client from lane to lane and never change a shared
 * connection. A lane that no client has used yet is tried on every shard first, while the client
 * waits, so that the answer is the shards' own.
 */

import type { Greeting } from '../../control/greeting.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { OVERLOADED } from '../../failures.ts'
import { AUTH_FAILURES_MAX } from '../../limits.ts'
import { parseInteger } from '../../resp/bytes.ts'
import { encodeValue, OK, SimpleString, type Value } from '../../resp/encode.ts'
import type { LaneSettings, Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import { argument } from '../core/arguments.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'
import type { EdgeUsers } from './edge-users.ts'
import { type HelloStep, type Presented, parseHello } from './hello-request.ts'

export interface HandshakeOptions {
  readonly lanes: Lanes
  /** Those of the database. */
  readonly shardsOf: (database: number | undefined) => readonly Shard[]
  /** The client may have come to another database, of which another dispatcher takes care. */
  readonly arrived: (client: Client) => void
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
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO ' +
    'AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
    'version at the same time',
)
const BAD_DATABASE = errorFrame('ERR value is not an integer or out of range')
const DATABASE_OUT_OF_RANGE = errorFrame('ERR DB index is out of range')

export function handshakeCommands(options: HandshakeOptions): Record<string, SpecialCommand> {
  return {
    auth: afterReplies((client, request) => auth(client, request, options)),
    hello: afterReplies((client, request) => hello(client, request, options)),
    select: afterReplies((client, request) => select(client, request, options)),
    reset: afterReplies((client) => reset(client, options)),
  }
}

/**
 * Earlier requests of the client are on their way over the old lane or a lease. Later ones over the
 * new lane must not overtake them.
 */
function afterReplies(command: SpecialCommand): SpecialCommand {
  return (client, request, row) => {
    if (client.session.inFlight > 0) client.session.defer(request)
    else command(client, request, row)
  }
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
  if (options.passAuthThrough) logInThere(client, presented, options, {}, (error) => error ?? OK)
  else session.answer(logInHere(client, presented, options) ? OK : WRONG_PASSWORD)
}

/** Changes to a lane's settings; the answer is made from the outcome. */
type LaneChange = Partial<LaneSettings>
type Answer = (error: Buffer | undefined) => Buffer

/** Moves the client to where the shards accept its credentials, and answers then. */
function logInThere(
  client: Client,
  { username, password }: Presented,
  options: HandshakeOptions,
  change: LaneChange,
  answer: Answer,
): void {
  const credentials = { username, password: password.toString() }
  moveTo(client, options, { ...change, credentials }, (error) => {
    if (error === undefined) logIn(client, username)
    else countWrongPassword(client)
    return answer(error)
  })
}

/** Checks the credentials against our own users. */
function logInHere(
  client: Client,
  { username, password }: Presented,
  options: HandshakeOptions,
): boolean {
  const accepted = options.users.accepts(username, password)
  if (accepted) logIn(client, username)
  else countWrongPassword(client)
  return accepted
}

function logIn(client: Client, user: string): void {
  client.session.authenticated = true
  client.user = user
}

/** After AUTH_FAILURES_MAX wrong passwords a client must connect again. */
function countWrongPassword(client: Client): void {
  client.wrongPasswords++
  if (client.wrongPasswords >= AUTH_FAILURES_MAX) client.session.closeAfterReplies()
}

function hello(client: Client, request: ScannedRequest, options: HandshakeOptions): void {
  const { session } = client
  const parsed = parseHello(request)
  if (Buffer.isBuffer(parsed)) {
    session.answer(parsed)
    return
  }
  const { steps, mistake } = parsed
  const change = mistake === undefined ? { protocol: parsed.protocol ?? client.lane.protocol } : {}
  const answer: Answer = (error) =>
    error ?? mistake ?? greetingFor(client, options.serverGreeting())
  const login = steps.findLast((step) => typeof step !== 'string')
  if (login !== undefined && options.passAuthThrough) {
    logInThere(client, login, options, change, (error) => {
      takeNames(client, error === undefined ? steps : steps.slice(0, steps.indexOf(login)))
      return answer(error)
    })
  } else if (!takeSteps(client, steps, options)) {
    session.answer(WRONG_PASSWORD)
  } else if (mistake !== undefined) {
    session.answer(mistake)
  } else if (!session.authenticated) {
    session.answer(NOAUTH_HELLO)
  } else {
    moveTo(client, options, change, answer)
  }
}

/** One after the other, as Redis does; false: a login has failed, and nothing behind it is done. */
function takeSteps(
  client: Client,
  steps: readonly HelloStep[],
  options: HandshakeOptions,
): boolean {
  return steps.every((step) => {
    if (typeof step !== 'string') return logInHere(client, step, options)
    client.name = step
    return true
  })
}

function takeNames(client: Client, steps: readonly HelloStep[]): void {
  for (const step of steps) if (typeof step === 'string') client.name = step
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
  client.session.muting.reset()
  client.session.authenticated = !options.users.required && !options.passAuthThrough
  const { lanes } = options
  if (client.lane !== lanes.first) lanes.leave(client.lane)
  client.lane = lanes.first
  options.arrived(client)
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
  const { lanes } = options
  const lane = lanes.enter({ ...settingsOf(client), ...change })
  if (lane === undefined) {
    session.refuse(OVERLOADED)
    return
  }
  const ticket = session.open()
  const settle = (error: Buffer | undefined): void => {
    if (error === undefined && !session.closed) {
      if (client.lane !== lanes.first) lanes.leave(client.lane)
      client.lane = lane
      options.arrived(client)
    } else {
      lanes.leave(lane)
    }
    session.settle(ticket, answer(error))
  }
  if (lanes.isProven(lane) || lane === lanes.first) {
    settle(undefined)
    return
  }
  session.hold()
  const shards = options.shardsOf(lane.database)
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
