/** How long clients are ready to wait, as their requests say it. */
import type { CommandRow } from '../../commands/row.ts'
import type { Request } from '../../resp/request.ts'
import { argumentText, argumentWord } from '../core/arguments.ts'

/** How long the client waits, milliseconds, Infinity for ever; and which argument says so, in which unit. */
export interface Timeout {
  readonly ms: number
  readonly index: number
  readonly unitMs: number
}

/** Where the timeout of a command is, and how many milliseconds its unit has. */
type TimeoutPlace = { readonly unitMs: number; readonly index: (request: Request) => number }

const last = (request: Request): number => request.argc - 1
const SECONDS_LAST: TimeoutPlace = { unitMs: 1000, index: last }
const SECONDS_FIRST: TimeoutPlace = { unitMs: 1000, index: () => 1 }
const MILLISECONDS_LAST: TimeoutPlace = { unitMs: 1, index: last }
const BLOCK_OPTION: TimeoutPlace = { unitMs: 1, index: blockOption }

const TIMEOUTS: Readonly<Record<string, TimeoutPlace>> = {
  blpop: SECONDS_LAST,
  brpop: SECONDS_LAST,
  brpoplpush: SECONDS_LAST,
  blmove: SECONDS_LAST,
  blmpop: SECONDS_FIRST,
  bzpopmin: SECONDS_LAST,
  bzpopmax: SECONDS_LAST,
  bzmpop: SECONDS_FIRST,
  xread: BLOCK_OPTION,
  xreadgroup: BLOCK_OPTION,
  wait: MILLISECONDS_LAST,
  waitaof: MILLISECONDS_LAST,
}

/** Infinity also for one that cannot be read: the shard refuses it at once. */
export function timeoutOf(request: Request, row: CommandRow): Timeout {
  const place = TIMEOUTS[row.name]
  const index = place?.index(request) ?? 0
  const timeout = Number(index > 0 && index < request.argc ? argumentText(request, index) : '')
  const { unitMs = 1 } = place ?? {}
  return { index, unitMs, ms: timeout > 0 ? timeout * unitMs : Number.POSITIVE_INFINITY }
}

function blockOption(request: Request): number {
  for (let i = 1; i < request.argc - 1; i++) if (argumentWord(request, i) === 'BLOCK') return i + 1
  return 0
}
