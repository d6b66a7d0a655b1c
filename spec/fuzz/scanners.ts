/**
 * Fuzzing in process: whatever the bytes are and however they are cut, the scanners never throw,
 * never hold more than they were given, and say the same; what they let through is canonical.
 */
import { requestFrame } from '../../lib/resp/encode.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { ReplyCutter } from '../../lib/upstream/connection/reply-cutter.ts'
import type { Random } from '../support/random.ts'
import { addReplies, addRequests, damage, Stream } from './streams.ts'

const STREAM_BYTES_MAX = 4096
/** Reads land here, and each overwrites the one before, as in the product. */
const readBuffer = Buffer.alloc(STREAM_BYTES_MAX)
/** Cuts of the stream under way, ascending. */
const cuts: number[] = []

export interface Counts {
  inputs: number
  /** Inputs with at least one whole frame, and inputs that were refused: both must be common. */
  understood: number
  refused: number
}

/** Fuzzes with so many streams, half of them requests. Throws with the bytes that break a rule. */
export function fuzzScanners(random: Random, inputs: number): Counts {
  const counts: Counts = { inputs: 0, understood: 0, refused: 0 }
  const stream = new Stream(STREAM_BYTES_MAX)
  for (; counts.inputs < inputs; counts.inputs++) {
    stream.length = 0
    const isRequest = counts.inputs % 2 === 0
    if (isRequest) addRequests(stream, random)
    else addReplies(stream, random)
    damage(stream, random)
    const scan = isRequest ? scanRequests : scanReplies
    cuts.length = 0
    const whole = orExplain(stream, scan)
    cut(stream.length, random)
    const inPieces = orExplain(stream, scan)
    if (whole !== inPieces) explain(stream, `whole: ${whole}; in pieces: ${inPieces}`)
    if (whole.length > 1) counts.understood++
    if (whole.endsWith('!')) counts.refused++
  }
  return counts
}

/** Byte by byte, or at up to four places. */
function cut(length: number, random: Random): void {
  if (random.integer(0, 4) === 0) {
    for (let at = 1; at < length; at++) cuts.push(at)
    return
  }
  for (let count = random.integer(1, 5); count > 0 && length > 1; count--) {
    cuts.push(random.integer(1, length))
  }
  cuts.sort((one, other) => one - other)
}

/** Calls back with the length of each piece, which lies in the read buffer; false ends it. */
function feed({ bytes, length }: Stream, take: (pieceBytes: number) => boolean): void {
  let start = 0
  for (let i = 0; i <= cuts.length; i++) {
    const end = cuts[i] ?? length
    bytes.copy(readBuffer, 0, start, end)
    if (!take(end - start)) return
    start = end
  }
}

/** Where each request ends and a digest of it, then `!` and why the stream was refused, if it was. */
function scanRequests(stream: Stream): string {
  const scanner = new RequestScanner()
  let found = ''
  let fed = 0
  feed(stream, (pieceBytes) => {
    scanner.feed(readBuffer, pieceBytes)
    fed += pieceBytes
    for (let steps = 0; ; steps++) {
      if (steps > pieceBytes) throw new Error('finds more requests than there are bytes')
      const result = scanner.next()
      if (result === 'error') {
        found += `${scanner.error}!`
        return false
      }
      if (result === 'more') break
      found += `${digest(scanner)} `
    }
    if (scanner.heldBytes > fed) throw new Error(`holds ${scanner.heldBytes} of ${fed} bytes`)
    return true
  })
  return found
}

/** Throws unless the frame is the one and only encoding of its arguments. */
function digest({ bytes, frameStart, frameEnd, argc, offsets }: RequestScanner): number {
  const words: Buffer[] = []
  for (let i = 0; i < argc; i++) words.push(bytes.subarray(offsets[2 * i], offsets[2 * i + 1]))
  const frame = bytes.subarray(frameStart, frameEnd)
  if (!requestFrame(words).equals(frame)) throw new Error(`not canonical: ${frame.toString('hex')}`)
  return digestOf(frame, 0, frame.length, 0)
}

/** The same for replies. */
function scanReplies(stream: Stream): string {
  let found = ''
  let sum = 0
  let passed = 0
  let fed = 0
  const take = (bytes: Buffer, start: number, end: number, last: boolean): boolean => {
    passed += end - start
    sum = digestOf(bytes, start, end, sum)
    if (last) {
      found += `${passed}:${sum} `
      sum = 0
    }
    return true
  }
  const cutter = new ReplyCutter(take, take)
  feed(stream, (pieceBytes) => {
    fed += pieceBytes
    const fine = cutter.take(readBuffer, pieceBytes)
    if (!fine) found += '!'
    if (passed > fed) throw new Error(`passes on ${passed} of ${fed} bytes`)
    return fine
  })
  return found
}

/** FNV-1a, from `seed` on. */
function digestOf(bytes: Buffer, start: number, end: number, seed: number): number {
  let sum = seed ^ 0x811c9dc5
  for (let i = start; i < end; i++) sum = Math.imul(sum ^ (bytes[i] as number), 0x01000193)
  return sum
}

function orExplain(stream: Stream, scan: (stream: Stream) => string): string {
  try {
    return scan(stream)
  } catch (error) {
    return explain(stream, String(error))
  }
}

function explain({ bytes, length }: Stream, problem: string): never {
  const shown = JSON.stringify(bytes.toString('latin1', 0, length))
  throw new Error(`${problem}\n${shown} cut at ${cuts.join(', ')}`)
}
