/**
 * Databases that are a pool or a shard of their own: what leads from such a database to another one, and back,
 * no server can do, and is refused before anything of it is sent. It stands before the dispatcher where a
 * configuration has such databases.
 */
import { isWord } from '../../commands/case.ts'
import { arityFits, type CommandTable } from '../../commands/lookup.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { notSupported } from '../../failures.ts'
import { parseInteger } from '../../resp/bytes.ts'
import type { Request } from '../../resp/request.ts'
import type { InHand } from '../../stats/in-hand.ts'
import type { Client, Decider } from '../core/client.ts'

export interface ApartDatabasesOptions {
  readonly decider: Decider
  readonly table: CommandTable
  readonly inHand: InHand
  /** Whether the database is a pool or a shard of its own. */
  readonly isApart: (database: number) => boolean
}

const ELSEWHERE = 'one of the databases is on servers of its own (databases)'
const SELECT_IN_TRANSACTION = 'a transaction is open, and the database is on other servers'
const FLUSH_IN_TRANSACTION = 'a transaction is open, and other databases are on other servers'

export class ApartDatabases implements Decider {
  readonly #options: ApartDatabasesOptions

  constructor(options: ApartDatabasesOptions) {
    this.#options = options
  }

  handle(client: Client, request: ScannedRequest): void {
    const { decider, table, inHand } = this.#options
    const row = table.lookup(request)
    const isSound = row !== undefined && arityFits(row, request.argc)
    const because =
      isSound && client.session.authenticated
        ? leadsElsewhere(row.name, request, this.#from(client))
        : undefined
    if (row === undefined || because === undefined) {
      decider.handle(client, request)
      return
    }
    inHand.begin(row.id)
    client.mode?.refused(row)
    client.session.refuse(notSupported(row.name, because))
    inHand.end()
  }

  forget(client: Client): void {
    this.#options.decider.forget(client)
  }

  #from({ lane, mode }: Client): FromDatabase {
    const { isApart } = this.#options
    return { own: lane.database ?? 0, inTransaction: mode !== undefined, isApart }
  }
}

/** What leads from a database to another one, as the client's are when it asks. */
export interface FromDatabase {
  readonly own: number
  /** MULTI or WATCH is under way. */
  readonly inTransaction: boolean
  readonly isApart: (database: number) => boolean
}

/** Why no server can do it; undefined: it stays where one can. */
export function leadsElsewhere(
  command: string,
  request: Request,
  { own, inTransaction, isApart }: FromDatabase,
): string | undefined {
  const isElsewhere = (other: number | undefined): boolean => {
    return other !== undefined && other !== own && (isApart(own) || isApart(other))
  }
  switch (command) {
    case 'select':
      return inTransaction && isElsewhere(numberAt(request, 1)) ? SELECT_IN_TRANSACTION : undefined
    case 'move':
      return isElsewhere(numberAt(request, 2)) ? ELSEWHERE : undefined
    case 'copy':
      return isElsewhere(databaseOfCopy(request)) ? ELSEWHERE : undefined
    case 'swapdb': {
      const named = [numberAt(request, 1) ?? own, numberAt(request, 2) ?? own, own]
      return named.some(isApart) ? ELSEWHERE : undefined
    }
    case 'flushall':
      return inTransaction && isApart(own) ? FLUSH_IN_TRANSACTION : undefined
    default:
      return undefined
  }
}

function numberAt({ bytes, offsets }: Request, argument: number): number | undefined {
  return parseInteger(bytes, offsets[2 * argument] as number, offsets[2 * argument + 1] as number)
}

/** COPY source destination DB 1; undefined: its own. */
export function databaseOfCopy(request: Request): number | undefined {
  for (let at = 3; at < request.argc - 1; at++) {
    if (isWord(request, at, 'DB')) return numberAt(request, at + 1)
  }
  return undefined
}
