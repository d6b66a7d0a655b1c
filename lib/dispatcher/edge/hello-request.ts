/** What HELLO asks for, with the errors that Redis 7 gives (networking.c, helloCommand). */
import { errorFrame, errorText } from '../../errors.ts'
import { parseInteger } from '../../resp/bytes.ts'
import type { Request } from '../../resp/request.ts'
import { argument, argumentText, argumentWord } from '../core/arguments.ts'

const NOPROTO = errorFrame('NOPROTO unsupported protocol version')
const NOT_AN_INTEGER = errorFrame('ERR Protocol version is not an integer or out of range')
export const BAD_NAME = errorFrame(
  'ERR Client names cannot contain spaces, newlines or special characters.',
)

export interface Presented {
  readonly username: string
  readonly password: Buffer
}

/** What HELLO asks for in its turn: a login or a name. */
export type HelloStep = Presented | string

export interface HelloRequest {
  readonly protocol: 2 | 3 | undefined
  readonly steps: readonly HelloStep[]
  /** What is wrong with it behind the steps, which are taken even so. */
  readonly mistake: Buffer | undefined
}

/** What the client asks for, or the error that Redis gives (networking.c, helloCommand). */
export function parseHello(request: Request): HelloRequest | Buffer {
  const { argc } = request
  if (argc === 1) return { protocol: undefined, steps: [], mistake: undefined }
  const protocol = parseInteger(argument(request, 1), 0, argument(request, 1).length)
  if (protocol === undefined) return NOT_AN_INTEGER
  if (protocol !== 2 && protocol !== 3) return NOPROTO
  const steps: HelloStep[] = []
  for (let at = 2; at < argc; ) {
    const word = argumentWord(request, at)
    if (word === 'AUTH' && at + 2 < argc) {
      const username = argument(request, at + 1).toString()
      steps.push({ username, password: Buffer.from(argument(request, at + 2)) })
      at += 3
    } else if (word === 'SETNAME' && at + 1 < argc) {
      const name = argumentText(request, at + 1)
      if (!isClientName(name)) return { protocol, steps, mistake: BAD_NAME }
      steps.push(name)
      at += 2
    } else {
      const option = errorText(argumentText(request, at))
      return {
        protocol,
        steps,
        mistake: errorFrame(`ERR Syntax error in HELLO option '${option}'`),
      }
    }
  }
  return { protocol, steps, mistake: undefined }
}

/** Printable ASCII without spaces, as Redis demands of names. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name)
}
