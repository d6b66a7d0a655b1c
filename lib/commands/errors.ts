/**
 * The errors for requests that name no command, miscount its arguments or may not pass. The first
 * three are Redis's own, byte for byte (server.c, commandCheckExistence and commandCheckArity):
 * clients recognise them by their text.
 */
import { errorFrame } from '../errors.ts'
import { ERROR_TEXT_BYTES_MAX } from '../limits.ts'
import type { Request } from '../resp/request.ts'
import type { CommandTable } from './lookup.ts'
import type { CommandRow } from './row.ts'

/** For a request whose row `table.lookup` did not find. */
export function notFound(table: CommandTable, request: Request): Buffer {
  return table.hasContainer(request) ? unknownSubcommand(request) : unknownCommand(request)
}

function unknownCommand(request: Request): Buffer {
  const name = argumentText(request, 0, ERROR_TEXT_BYTES_MAX)
  // As Redis: it stops at 128 bytes, and cuts the current argument to what is left.
  let args = ''
  for (let i = 1; i < request.argc && args.length < ERROR_TEXT_BYTES_MAX; i++) {
    args += `'${argumentText(request, i, ERROR_TEXT_BYTES_MAX - args.length)}' `
  }
  return safeErrorFrame(`ERR unknown command '${name}', with args beginning with: ${args}`)
}

function unknownSubcommand(request: Request): Buffer {
  const container = argumentText(request, 0, ERROR_TEXT_BYTES_MAX).toUpperCase()
  const name = argumentText(request, 1, ERROR_TEXT_BYTES_MAX)
  return safeErrorFrame(`ERR unknown subcommand '${name}'. Try ${container} HELP.`)
}

/** For a subcommand that counts its arguments itself: its row has no upper bound. */
export function wrongSubcommandArity(request: Request): Buffer {
  const container = argumentText(request, 0, ERROR_TEXT_BYTES_MAX).toUpperCase()
  const name = argumentText(request, 1, ERROR_TEXT_BYTES_MAX)
  return safeErrorFrame(
    `ERR unknown subcommand or wrong number of arguments for '${name}'. Try ${container} HELP.`,
  )
}

export function wrongArity(row: CommandRow): Buffer {
  return rejected(row, `wrong number of arguments for '${row.writtenName}' command`)
}

/** For a command that may not begin. EXEC ends its transaction even so (server.c, rejectCommand). */
export function rejected(row: CommandRow, why: string): Buffer {
  const code = row.name === 'exec' ? EXECABORT : 'ERR'
  return errorFrame(`${code} ${why}`)
}

/** For a command of a client that has to log in first. */
export function notAuthenticated(row: CommandRow): Buffer {
  return row.name === 'exec' ? NOAUTH_FOR_EXEC : NOAUTH
}

const EXECABORT = 'EXECABORT Transaction discarded because of:'
const NOAUTH = errorFrame('NOAUTH Authentication required.')
const NOAUTH_FOR_EXEC = errorFrame(`${EXECABORT} NOAUTH Authentication required.`)

/** Redis prints arguments as C strings: they end at their first NUL. Latin-1: one character a byte. */
function argumentText(request: Request, index: number, bytesMax: number): string {
  const start = request.offsets[2 * index] as number
  const end = request.offsets[2 * index + 1] as number
  const text = request.bytes.toString('latin1', start, Math.min(end, start + bytesMax))
  const nul = text.indexOf('\0')
  return nul === -1 ? text : text.slice(0, nul)
}

/** A client's CR or LF must not end the line; Redis leaves every other byte as it is, so do we. */
function safeErrorFrame(text: string): Buffer {
  return errorFrame(text.replace(/[\r\n]/g, ' '))
}
