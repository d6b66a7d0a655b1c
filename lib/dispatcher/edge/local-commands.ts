/** The smallest commands: answered here, without any shard. */
import { wrongArity } from '../../commands/errors.ts'
import type { CommandTable } from '../../commands/lookup.ts'
import { errorFrame } from '../../errors.ts'
import { TOO_MANY_ARGUMENTS } from '../../failures.ts'
import { ANSWERED_ARGUMENTS_MAX } from '../../limits.ts'
import { bulkFrame, OK, PONG } from '../../resp/encode.ts'
import { argument } from '../core/arguments.ts'
import type { SpecialCommand } from '../core/dispatcher.ts'

/** Clients find out from this text that the server is in no cluster. */
const NO_CLUSTER = errorFrame('ERR This instance has cluster support disabled')

/** For a command of which each argument costs as much as a request: nothing else happens meanwhile. */
export function bounded(command: SpecialCommand): SpecialCommand {
  return (client, request, row) => {
    if (request.argc > ANSWERED_ARGUMENTS_MAX) client.session.refuse(TOO_MANY_ARGUMENTS)
    else command(client, request, row)
  }
}

/** Clients of one Redis, and tools as redis-cli 8, send these; all else about clusters is CLUSTER's. */
const CLUSTER_STATE = ['asking', 'readonly', 'readwrite']

/** The commands of Redis Cluster that `table` has, each with the answer of a Redis that is in none. */
export function clusterCommands(table: CommandTable): Record<string, SpecialCommand> {
  const members = [...(table.byName('cluster')?.subcommands?.values() ?? [])]
  const names = [...CLUSTER_STATE, ...members.map(({ name }) => name)]
  return Object.fromEntries(
    names.map((name) => [name, (client) => client.session.answer(NO_CLUSTER)]),
  )
}

export const LOCAL_COMMANDS: Readonly<Record<string, SpecialCommand>> = {
  ping: (client, request, row) => {
    // Its row has no upper bound, as in Redis, where the command itself counts.
    if (request.argc > 2) client.session.answer(wrongArity(row))
    else client.session.answer(request.argc === 1 ? PONG : bulkFrame(argument(request, 1)))
  },
  echo: (client, request) => client.session.answer(bulkFrame(argument(request, 1))),
  quit: (client) => {
    client.session.answer(OK)
    client.session.closeAfterReplies()
  },
}
