/** Commands that are answered here, without any shard. */
import type { CommandRow } from '../commands/row.ts'
import { timingSafeEqual } from 'node:crypto'
import { createHash } from 'node:crypto'
import { notSupported } from '../commands/errors.ts'
import type { Session } from '../downstream/session.ts'
import { errorFrame } from '../errors.ts'
import { bulkFrame, OK, PONG } from '../resp/encode.ts'
import type { Request } from '../resp/request.ts'

type LocalCommand = (session: Session, request: Request) => void

export class LocalCommands {
  readonly #commands: ReadonlyMap<string, LocalCommand>
  readonly #passwordHash: Buffer | undefined

  constructor(password: string | undefined) {
    this.#passwordHash = password === undefined ? undefined : sha256(Buffer.from(password))
    this.#commands = new Map<string, LocalCommand>([
      ['ping', (session, request) => session.answer(request.argc === 1 ? PONG : bulkFrame(argument(request, 1)))],
      ['echo', (session, request) => session.answer(bulkFrame(argument(request, 1)))],
      ['quit', quit],
      ['auth', (session, request) => this.#auth(session, request)],
    ])
  }

  handle(session: Session, request: Request, row: CommandRow): void {
    const command = this.#commands.get(row.name)
    if (command === undefined) session.answer(notSupported(row))
    else command(session, request)
  }

  #auth(session: Session, request: Request): void {
    if (this.#passwordHash === undefined) {
      session.answer(NO_PASSWORD)
      return
    }
    const user = request.argc === 3 ? argument(request, 1).toString() : 'default'
    const password = argument(request, request.argc - 1)
    // Digests of equal length, so that the time tells nothing about the password.
    const right = timingSafeEqual(sha256(password), this.#passwordHash) && user === 'default'
    if (right) session.authenticated = true
    session.answer(right ? OK : WRONG_PASSWORD)
  }
}

const NO_PASSWORD = errorFrame(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
)
const WRONG_PASSWORD = errorFrame('WRONGPASS invalid username-password pair or user is disabled.')

function quit(session: Session): void {
  session.answer(OK)
  session.closeAfterReplies()
}

function argument(request: Request, index: number): Buffer {
  return request.bytes.subarray(request.offsets[2 * index], request.offsets[2 * index + 1])
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
