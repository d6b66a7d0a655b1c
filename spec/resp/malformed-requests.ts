/** Requests that break the protocol, and the text with which they are refused. */
import { LINE_BYTES_MAX } from '../../lib/limits.ts'
import { latin1 } from '../support/frames.ts'

export interface MalformedRequest {
  readonly name: string
  readonly bytes: Buffer
  /** Behind `Protocol error: `. */
  readonly error: string
  /** What Redis 7 answers to `bytes` and `more` where we are stricter; else the same error. */
  readonly redis?: { readonly more: string; readonly reply: string }
  /** Only while a password is due. */
  readonly unauthenticated?: true
}

/**
 * One byte more than a line may have, its end not in sight. No more than one: a server that has bytes left
 * to read when it closes resets the connection, and its reply may be lost.
 */
function endless(start: string): string {
  return start.padEnd(LINE_BYTES_MAX + 1, 'A')
}

const NUL_INLINE = 'PING \0\r\n'
const COUNT = 'invalid multibulk length'
const LENGTH = 'invalid bulk length'
const QUOTES = 'unbalanced quotes in request'

export const MALFORMED_REQUESTS: readonly MalformedRequest[] = [
  ...[
    '*2147483648',
    '*3000000000',
    '*18446744073709551617',
    '*abc',
    '*',
    '*+1',
    '*01',
    '* 1',
    '*-',
    '*-01',
    '*1.0',
    '*1 ',
  ].map((line) => malformed(line, `${line}\r\n`, COUNT)),
  ...['$-1', '$03', '$536870913', '$18446744073709551617', '$blabla', '$', '$+1', '$ 1', '$1 '].map(
    (line) => malformed(line, `*2\r\n$3\r\nGET\r\n${line}\r\n`, LENGTH),
  ),
  ...[':4', '*1', '+x', ' $1', 'A'].map((line) =>
    malformed(
      `${line} where $ is due`,
      `*1\r\n${line}\r\n`,
      `expected '$', got '${line.charAt(0)}'`,
    ),
  ),
  malformed('an empty line where $ is due', '*1\r\n\r\n', `expected '$', got '\r'`),
  malformed('a bare LF after the count', '*1\n$4\nPING\r\n', COUNT),
  malformed('a bare LF after a length', '*1\r\n$4\nPING\r\n', LENGTH),
  malformed('an endless count', endless('*'), 'too big mbulk count string'),
  malformed('an endless length', `*1\r\n${endless('$')}`, 'too big bulk count string'),
  malformed('an endless inline request', endless(''), 'too big inline request'),
  malformed('NUL and an endless line', endless('\0'), 'too big inline request'),
  malformed('* NUL and an endless line', endless('*\0'), 'too big mbulk count string'),
  malformed('$ NUL and an endless line', endless('$\0'), 'too big inline request'),
  ...['"a', "'a", 'a "', '"a"b', `'a'b`, `"a""b"`, '"\\', '"\\"', "'\\'"].map((line) =>
    malformed(line, `${line}\r\n`, QUOTES),
  ),
  {
    ...malformed('a count above ours', '*1048577\r\n', COUNT),
    redis: { more: ':\r\n', reply: "-ERR Protocol error: expected '$', got ':'\r\n" },
  },
  {
    ...malformed(
      'more bytes than declared',
      '*1\r\n$4\r\nPINGXX\r\n',
      'expected CRLF after bulk string',
    ),
    redis: { more: 'QUIT\r\n', reply: '+PONG\r\n+OK\r\n' },
  },
  {
    ...malformed(
      'a CR alone after a bulk string',
      '*1\r\n$4\r\nPING\rX',
      'expected CRLF after bulk string',
    ),
    redis: { more: 'QUIT\r\n', reply: '+PONG\r\n+OK\r\n' },
  },
  {
    ...malformed('a CR alone after the count', '*1\rX$4\r\nPING\r\n', COUNT),
    redis: { more: 'QUIT\r\n', reply: '+PONG\r\n+OK\r\n' },
  },
  {
    ...malformed('a CR alone after a length', '*1\r\n$4\rXPING\r\n', LENGTH),
    redis: { more: 'QUIT\r\n', reply: '+PONG\r\n+OK\r\n' },
  },
  {
    ...malformed('NUL in an inline request', NUL_INLINE, 'NUL byte in inline request'),
    redis: {
      more: endless(NUL_INLINE).slice(NUL_INLINE.length),
      reply: '-ERR Protocol error: too big inline request\r\n',
    },
  },
  {
    ...malformed('11 arguments', '*11\r\n', 'unauthenticated multibulk length'),
    unauthenticated: true,
  },
  {
    ...malformed('16,385 bytes', '*1\r\n$16385\r\n', 'unauthenticated bulk length'),
    unauthenticated: true,
  },
]

function malformed(name: string, bytes: string, error: string): MalformedRequest {
  return { name, bytes: latin1(bytes), error }
}
