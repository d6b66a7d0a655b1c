/**
 * Takes each request to the command that deals with it: finds the row, checks arity and
 * authentication, asks the client's modes, and hands the request to a special command or to the
 * sender.
 */
import { notAuthenticated, notFound, wrongArity } from '../../commands/errors.ts'
import { arityFits, type CommandTable } from '../../commands/lookup.ts'
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest, Session } from '../../downstream/session.ts'
import type { Cache } from '../../nearcache/cache-client.ts'
import { UNKNOWN_COMMAND } from '../../stats/command-counts.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import { Client, type Decider } from './client.ts'

/** Deals with one command in its own way. Answers, forwards, defers or closes, like any handler. */
export type SpecialCommand = (client: Client, request: ScannedRequest, row: CommandRow) => void

/** Commands by their rows' names. */
export type SpecialCommands = Readonly<Record<string, SpecialCommand>>

/** All that are connected, by session; one map for all dispatchers of a process. */
export type Clients = Map<number, Client>

/** The clients that one of them sees. */
export interface ListedClients {
  readonly size: number
  values(): Iterable<Client>
  get(id: number): Client | undefined
}

/** Who sends requests of which nothing else is to be thought. */
export interface Dispatching {
  dispatch(client: Client, request: ScannedRequest, row: CommandRow): void
}

export interface DispatcherOptions {
  readonly table: CommandTable
  readonly sender: Dispatching
  readonly lanes: Lanes
  readonly clients: Clients
  /** Clients must authenticate first. */
  readonly authenticate: boolean
  readonly inHand: InHand
  /** Is told of every request before anything of it is sent. */
  readonly near?: Cache<Shard> | undefined
}

export class Dispatcher {
  readonly #table: CommandTable
  readonly #sender: Dispatching
  readonly #lanes: Lanes
  readonly #clients: Clients
  readonly #inHand: InHand
  readonly #authenticate: boolean
  readonly #near: Cache<Shard> | undefined
  /** By row id. */
  readonly #special: (SpecialCommand | undefined)[] = []

  constructor(options: DispatcherOptions) {
    this.#table = options.table
    this.#sender = options.sender
    this.#lanes = options.lanes
    this.#clients = options.clients
    this.#inHand = options.inHand
    this.#authenticate = options.authenticate
    this.#near = options.near
  }

  /**
   * Registers commands by their rows' names; they come before the row's handling. Throws when a row is
   * unknown, or has a command already that `over` does not name.
   */
  register(commands: SpecialCommands, over: SpecialCommands = {}): void {
    for (const [name, command] of Object.entries(commands)) {
      const row = this.#table.byName(name)
      if (row === undefined) throw new Error(`no row for command ${name}`)
      const earlier = this.#special[row.id]
      if (earlier !== undefined && earlier !== over[name])
        throw new Error(`${name} registered twice`)
      this.#special[row.id] = command
    }
  }

  /** Puts something before each command that is registered; undefined leaves it as it is. */
  precede(wrap: (row: CommandRow, command: SpecialCommand) => SpecialCommand | undefined): void {
    for (const row of this.#table.rows()) {
      const command = this.#special[row.id]
      if (command !== undefined) this.#special[row.id] = wrap(row, command) ?? command
    }
  }

  /**
   * Throws when a row says that its command is answered or merged here, and no command is
   * registered for it.
   */
  assertComplete(): void {
    const unanswered = this.#table
      .rows()
      .filter(({ id, handling, responsePolicy, subcommands }) => {
        const isOurs =
          handling === 'local' || (handling === 'broadcast' && responsePolicy === 'special')
        return isOurs && subcommands === undefined && this.#special[id] === undefined
      })
    if (unanswered.length === 0) return
    throw new Error(`nothing answers ${unanswered.map(({ name }) => name).join(', ')}`)
  }

  /**
   * Takes care of a new session, whose requests come here by way of `decider`. `pool`: the one that its
   * address leads to.
   */
  serve(session: Session, decider: Decider = this, pool?: string): Client {
    session.authenticated = !this.#authenticate
    const client = new Client(session, this.#lanes.first, decider, Date.now(), pool)
    this.#clients.set(session.id, client)
    return client
  }

  forget(client: Client): void {
    this.#clients.delete(client.session.id)
    if (client.lane !== this.#lanes.first) this.#lanes.leave(client.lane)
  }

  handle(client: Client, request: ScannedRequest): void {
    const row = this.#table.lookup(request)
    const inHand = this.#inHand
    inHand.begin(row === undefined ? UNKNOWN_COMMAND : row.id)
    if (row === undefined || !arityFits(row, request.argc)) {
      this.#refuseMalformed(client, request, row)
    } else {
      client.lastCommand = row.name
      this.#handleRow(client, request, row)
    }
    inHand.end()
  }

  #handleRow(client: Client, request: ScannedRequest, row: CommandRow): void {
    if (!client.session.authenticated && !row.flags.has('no_auth')) {
      client.session.answer(notAuthenticated(row))
      return
    }
    this.#near?.about(client, request, row)
    // A transaction asks the subscriptions itself, where they matter.
    const mode = client.mode ?? client.subscriptions
    if (mode?.handle(request, row) !== true) this.execute(client, request, row)
  }

  /** Carries out a request that no mode of its client has taken. */
  execute(client: Client, request: ScannedRequest, row: CommandRow): void {
    const special = this.#special[row.id]
    if (special !== undefined) special(client, request, row)
    else this.#sender.dispatch(client, request, row)
  }

  #refuseMalformed(client: Client, request: ScannedRequest, row: CommandRow | undefined): void {
    // A browser or a script was pointed here (SSRF, DNS rebinding): nothing it sends may run.
    if (isHttp(request)) {
      client.session.destroy()
      return
    }
    client.mode?.refused(row)
    client.session.answer(row === undefined ? notFound(this.#table, request) : wrongArity(row))
  }
}

/** `POST / HTTP/1.1` or a `Host:` line, as Redis itself looks for, and `GET / HTTP/1.1` besides. */
function isHttp(request: ScannedRequest): boolean {
  const { bytes, offsets, argc } = request
  const start = offsets[0] as number
  const name = bytes.toString('latin1', start, Math.min(offsets[1] as number, start + 8))
  if (/^(post|host:)$/i.test(name)) return true
  const last = offsets[2 * (argc - 1)] as number
  return argc === 3 && bytes.toString('latin1', last, last + 5) === 'HTTP/'
}
