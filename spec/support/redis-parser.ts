/**
 * The door to redis-parser, an independent decoder to hold ours against: valid RESP2 only.
 *
 * Its traps: it forgets the kind of a frame (`+OK` and `$2 OK`, `$-1` and `*-1` come out alike), waits
 * for ever on `$abc`, does not check the CRLF after a bulk string, allocates what an array header
 * merely declares, and throws a RangeError out of `execute` on deep nesting.
 */
import RedisParser from 'redis-parser'

/** Strings are Buffers, integers strings, errors `Error`s, both nulls null. */
export type Decoded = Buffer | string | Error | null | readonly Decoded[]

/** The complete frames in `bytes`, requests or replies. Throws when a frame is malformed. */
export function decodeFrames(bytes: Buffer): Decoded[] {
  const frames: Decoded[] = []
  const parser = new RedisParser({
    returnBuffers: true,
    stringNumbers: true,
    returnReply: (reply: Decoded) => frames.push(reply),
    returnError: (error) => frames.push(error),
    returnFatalError: (error) => {
      throw error
    },
  })
  parser.execute(bytes)
  return frames
}
