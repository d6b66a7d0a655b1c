/** Streams of bytes for fuzzing: by grammar, so that they get far, then damaged. */
import type { Random } from '../support/random.ts'

/** Where parsers differ, overflow or wait. */
const TOKENS = [
  ...['\r\n', '\r', '\n', '\n\r', '\0', '\x16', '"', "'", '\\', ' ', '\t'],
  ...['*', '$', '*0\r\n', '*-1\r\n', '$-1\r\n', '$0\r\n\r\n', '*1\r\n', '*01\r\n', '*+1\r\n'],
  ...['$18446744073709551617\r\n', '*2147483648\r\n', '*1048577\r\n', '$536870912\r\n', '$-0\r\n'],
  ...[
    '9007199254740993',
    '-9223372036854775808',
    '00',
    '-',
    '+',
    'PING\r\n',
    '*3\r\n$3\r\nSET\r\n',
  ],
  ...['_\r\n', '#t\r\n', ',1.5\r\n', '(1\r\n', '|1\r\n', '>2\r\n', '%1\r\n', '~2\r\n', '=5\r\n'],
]

const NAMES = ['GET', 'get', 'SET', 'MGET', 'PING', 'ECHO', 'DEL', 'INCR', 'NOSUCH', 'TIME', '']

/** A buffer that is written from its start again and again, and bounded. */
export class Stream {
  readonly bytes: Buffer
  length = 0

  constructor(capacity: number) {
    this.bytes = Buffer.alloc(capacity)
  }

  /** Latin-1; what does not fit is cut. */
  add(text: string): void {
    this.length += this.bytes.write(text, this.length, 'latin1')
  }
}

/** Up to four requests, one of five inline. */
export function addRequests(stream: Stream, random: Random): void {
  for (let count = random.integer(1, 5); count > 0; count--) {
    if (random.integer(0, 5) === 0) stream.add(`${random.pick(NAMES)} ${word(random)}\r\n`)
    else addRequest(stream, random)
  }
}

function addRequest(stream: Stream, random: Random): void {
  const argc = random.integer(0, 5)
  stream.add(`*${argc}\r\n`)
  for (let i = 0; i < argc; i++) {
    const argument = i === 0 ? random.pick(NAMES) : word(random)
    stream.add(`$${argument.length}\r\n${argument}\r\n`)
  }
}

function word(random: Random): string {
  const choice = random.integer(0, 20)
  if (choice === 0) return random.pick(TOKENS)
  if (choice === 1) return 'x'.repeat(random.integer(90, 300))
  return 'fuzz:key:1234567890'.slice(0, choice)
}

const LINES = ['+OK', '-ERR no', '-x', ':0', ':-42', '$-1', '*-1', '_', '#f', ',inf', '(12', '+']

/** Up to four replies, RESP2 and RESP3, nested. */
export function addReplies(stream: Stream, random: Random): void {
  for (let count = random.integer(1, 5); count > 0; count--) addReply(stream, random, 4)
}

function addReply(stream: Stream, random: Random, depth: number): void {
  const choice = random.integer(0, depth === 0 ? 6 : 9)
  if (choice < 3) {
    stream.add(`${random.pick(LINES)}\r\n`)
  } else if (choice < 6) {
    const text = word(random)
    stream.add(`${random.pick(['$', '$', '=', '!'])}${text.length}\r\n${text}\r\n`)
  } else {
    const kind = random.pick(['*', '*', '%', '~', '|', '>'])
    const elements = random.integer(0, 4)
    stream.add(`${kind}${elements}\r\n`)
    const values = kind === '%' || kind === '|' ? 2 * elements : elements
    for (let i = 0; i < values; i++) addReply(stream, random, depth - 1)
  }
}

/** Up to three kinds of damage; one stream in four stays as it is. */
export function damage(stream: Stream, random: Random): void {
  for (let count = random.integer(0, 4); count > 0 && stream.length > 0; count--) {
    const { bytes, length } = stream
    const at = random.integer(0, length)
    switch (random.integer(0, 6)) {
      case 0:
        bytes[at] = random.integer(0, 256)
        break
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 8))
        break
      case 2:
        bytes.copyWithin(at, at + 1, length)
        stream.length--
        break
      case 3:
        insert(stream, at, random.pick(TOKENS))
        break
      case 4:
        bytes.write(random.pick(TOKENS), at, length - at, 'latin1')
        break
      default:
        stream.length = at
    }
  }
}

function insert(stream: Stream, at: number, token: string): void {
  const { bytes, length } = stream
  if (length + token.length > bytes.length) return
  bytes.copyWithin(at + token.length, at, length)
  bytes.write(token, at, 'latin1')
  stream.length += token.length
}
