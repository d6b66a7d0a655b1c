/** Requests as the scanner hands them on, for specs of rooms that never see a socket. */
import type { Request } from '../../lib/resp/request.ts'
import { decodeRequest, encodeRequest } from './frames.ts'

/** Bytes of others before and after, as in a shared read buffer: whoever strays out of the frame trips. */
const STRANGERS = Buffer.from('*1\r\n$4\r\nEVAL\r\n')

/** Strings are latin1: one character, one byte. */
export function requestOf(...args: readonly (string | Buffer)[]): Request {
  const frame = encodeRequest(...args)
  const bytes = Buffer.concat([STRANGERS, frame, STRANGERS])
  const frameStart = STRANGERS.length
  const frameEnd = frameStart + frame.length
  // decodeRequest gives views of the bytes, which know their place.
  const places = decodeRequest(bytes.subarray(frameStart, frameEnd)).flatMap((arg) => {
    const start = arg.byteOffset - bytes.byteOffset
    return [start, start + arg.length]
  })
  return { bytes, frameStart, frameEnd, argc: args.length, offsets: Int32Array.from(places) }
}
