/**
 * Blocking pops as requests for one key that do not block, and the replies to those as replies to the
 * blocking ones. Pure.
 */
import { errorFrame } from '../../../errors.ts'
import { parseInteger } from '../../../resp/bytes.ts'
import { arrayHeader, bulkFrame, requestFrame } from '../../../resp/encode.ts'
import type { Request } from '../../../resp/request.ts'
import { argument, argumentText, argumentWord } from '../../core/arguments.ts'
import type { LookCommand } from '../keys/watched-key.ts'

interface Pop {
  /** The same for one key, without waiting. */
  readonly command: string
  readonly look: LookCommand
  /**
   * - `element`: the reply to `command` is an element, that to the blocking pop is its key and it.
   * - `scored`: the same of an element with its score.
   * - `same`: both have one form.
   */
  readonly form: 'element' | 'scored' | 'same'
  /** Which side elements are taken from, of commands that say it behind their keys. */
  readonly sides?: readonly string[]
}

const POPS: Readonly<Record<string, Pop>> = {
  blpop: { command: 'LPOP', look: 'LLEN', form: 'element' },
  brpop: { command: 'RPOP', look: 'LLEN', form: 'element' },
  bzpopmin: { command: 'ZPOPMIN', look: 'ZCARD', form: 'scored' },
  bzpopmax: { command: 'ZPOPMAX', look: 'ZCARD', form: 'scored' },
  blmpop: { command: 'LMPOP', look: 'LLEN', form: 'same', sides: ['LEFT', 'RIGHT'] },
  bzmpop: { command: 'ZMPOP', look: 'ZCARD', form: 'same', sides: ['MIN', 'MAX'] },
}

/** Whether the command of this name, lower case, can wait for keys on several shards. */
export function popsFromSeveral(name: string): boolean {
  return Object.hasOwn(POPS, name)
}

export interface PopRequest {
  /** Milliseconds; Infinity: for ever. */
  readonly timeoutMs: number
  readonly look: LookCommand
  /** The request that pops from this key, if there is anything. */
  frameFor(key: Buffer): Buffer
  /** What stands before the reply to that, to make it the client's. `skip`: so many of its bytes are left out. */
  heading(key: Buffer): { readonly bytes: Buffer; readonly skip: number }
}

// Redis's own words (timeout.c and t_list.c).
const NOT_A_FLOAT = errorFrame('ERR timeout is not a float or out of range')
const OUT_OF_RANGE = errorFrame('ERR timeout is out of range')
const NEGATIVE = errorFrame('ERR timeout is negative')
const SYNTAX_ERROR = errorFrame('ERR syntax error')
const BAD_COUNT = errorFrame('ERR count should be greater than 0')

const NO_BYTES = Buffer.alloc(0)
/** `*2\r\n`, before an element and its score. */
const PAIR_HEADER_BYTES = 4

/**
 * The pop that the request asks for, or the error with which Redis refuses it before it looks at a key.
 * Precondition: `popsFromSeveral`, and its keys have been found.
 */
export function parsePop(name: string, request: Request, keyCount: number): PopRequest | Buffer {
  const { command, look, form, sides } = POPS[name] as Pop
  // numkeys stands between the timeout and the keys.
  const fault = sides && faultBehindKeys(request, 3 + keyCount, sides)
  if (fault !== undefined) return fault
  const timeoutMs = parseTimeout(argumentText(request, sides === undefined ? request.argc - 1 : 1))
  if (Buffer.isBuffer(timeoutMs)) return timeoutMs
  const rest = sides === undefined ? [] : argumentsFrom(request, 3 + keyCount)
  const before = sides === undefined ? [command] : [command, '1']
  return {
    timeoutMs,
    look,
    frameFor: (key) => requestFrame([...before, key, ...rest]),
    heading: (key) => {
      if (form === 'same') return { bytes: NO_BYTES, skip: 0 }
      const header = arrayHeader(form === 'element' ? 2 : 3)
      const skip = form === 'element' ? 0 : PAIR_HEADER_BYTES
      return { bytes: Buffer.concat([header, bulkFrame(key)]), skip }
    },
  }
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const INFINITE = /^[+-]?inf(?:inity)?$/i

/** Redis counts in milliseconds, 64 bits. */
const LONGEST_MS = 2 ** 63

/** Milliseconds, or Redis's error. */
function parseTimeout(text: string): number | Buffer {
  if (INFINITE.test(text)) return text.startsWith('-') ? NEGATIVE : OUT_OF_RANGE
  if (!FLOAT.test(text)) return NOT_A_FLOAT
  const ms = Math.ceil(Number(text) * 1000)
  if (ms > LONGEST_MS - Date.now()) return OUT_OF_RANGE
  if (ms < 0) return NEGATIVE
  return ms === 0 ? Number.POSITIVE_INFINITY : ms
}

/** `LEFT [COUNT n]` */
function faultBehindKeys(
  request: Request,
  at: number,
  sides: readonly string[],
): Buffer | undefined {
  const { argc } = request
  if (at >= argc || !sides.includes(argumentWord(request, at))) return SYNTAX_ERROR
  if (argc === at + 1) return undefined
  if (argumentWord(request, at + 1) !== 'COUNT' || argc === at + 2) return SYNTAX_ERROR
  const bytes = argument(request, at + 2)
  const count = parseInteger(bytes, 0, bytes.length)
  if (count === undefined || count < 1) return BAD_COUNT
  return argc === at + 3 ? undefined : SYNTAX_ERROR
}

function argumentsFrom(request: Request, first: number): Buffer[] {
  return Array.from({ length: request.argc - first }, (_, at) => {
    return Buffer.from(argument(request, first + at))
  })
}
