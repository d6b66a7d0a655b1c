/** Writes a request, or the part of a split command that one place gets. */
import { Chunk, type Lent } from '../io/chunk.ts'
import { LARGE_BYTES, type Outbox } from '../io/outbox.ts'
import { LF } from '../resp/bytes.ts'
import { arrayHeader } from '../resp/encode.ts'
import type { KeptMemory, Request } from '../resp/request.ts'
import type { Fragment, Frame } from './backend.ts'

/** Where bytes are copied to: an outbox, or a buffer that grows. */
export interface Appendable {
  append(bytes: Uint8Array, start: number, end: number): void
  /** Takes bytes without copying, and lets go what they lie in when it needs them no more. */
  lend?(bytes: Buffer, lent: Lent): void
}

/**
 * Appends the fragment: the command's name and, of its keys, those of the fragment's group. Their
 * bytes are copied as they came, length headers included.
 */
export function encodeFragment(outbox: Appendable, fragment: Fragment): void {
  const { request, stride, groupOf, index, keyCount, firstKey, opening } = fragment
  const { bytes, offsets, memory } = request
  if (opening !== undefined && keyCount === 1) {
    outbox.append(opening.bytes, 0, opening.bytes.length)
  } else {
    const header = arrayHeader(1 + keyCount * stride)
    outbox.append(header, 0, header.length)
    outbox.append(bytes, nameStartOf(request), nameEndOf(request))
  }
  // Most groups of a cluster have one key: to look at all keys for each group would be slow with many.
  let key = firstKey
  let left = keyCount
  while (left > 0) {
    if (groupOf[key] !== index) {
      key++
      continue
    }
    // Neighbours that go to the same place are copied in one piece.
    const first = key
    while (left > 0 && groupOf[key] === index) {
      key++
      left--
    }
    const start = (offsets[2 * first * stride + 1] as number) + 2
    const end = (offsets[2 * key * stride + 1] as number) + 2
    if (memory === undefined || end - start < LARGE_BYTES) outbox.append(bytes, start, end)
    else lendPart(outbox, bytes, start, end, memory)
  }
}

/**
 * Appends a fragment of one key, and returns how many bytes that is. `opening`: what each of them begins with.
 */
export function encodeOne(
  outbox: Outbox,
  request: Request,
  stride: number,
  key: number,
  opening: Chunk,
): number {
  const { bytes, offsets, memory } = request
  const start = (offsets[2 * key * stride + 1] as number) + 2
  const end = (offsets[2 * (key + 1) * stride + 1] as number) + 2
  if (memory === undefined || end - start < LARGE_BYTES) {
    outbox.appendBehind(opening, bytes, start, end)
  } else {
    outbox.append(opening.bytes, 0, opening.bytes.length)
    lendPart(outbox, bytes, start, end, memory)
  }
  return opening.bytes.length + end - start
}

/** With what each fragment of one key of the request begins: its header, and the command's name. */
export function openingOf(request: Request, stride: number): Chunk {
  const name = request.bytes.subarray(nameStartOf(request), nameEndOf(request))
  return new Chunk(Buffer.concat([arrayHeader(1 + stride), name]))
}

/** The name, with its header: from behind the frame's own header to where the first key begins. */
function nameStartOf({ bytes, frameStart }: Request): number {
  let lineEnd = frameStart
  while (bytes[lineEnd] !== LF) lineEnd++
  return lineEnd + 1
}

function nameEndOf({ offsets }: Request): number {
  return (offsets[1] as number) + 2
}

/** Puts a whole request into the outbox. Short ones are cheaper to copy than to write by themselves. */
export function appendFrame(outbox: Outbox, frame: Frame): void {
  const { bytes, frameStart, frameEnd } = frame
  if (frameEnd - frameStart < LARGE_BYTES) outbox.append(bytes, frameStart, frameEnd)
  else if (frame.memory !== undefined) lendPart(outbox, bytes, frameStart, frameEnd, frame.memory)
  else if (frame.owned) outbox.give(bytes.subarray(frameStart, frameEnd))
  else outbox.append(bytes, frameStart, frameEnd)
}

/** Puts `bytes[start, end)` into the outbox, and keeps them instead of copying where it can. */
function lendPart(
  outbox: Appendable,
  bytes: Buffer,
  start: number,
  end: number,
  memory: KeptMemory,
): void {
  if (outbox.lend === undefined) {
    outbox.append(bytes, start, end)
    return
  }
  memory.keep()
  outbox.lend(bytes.subarray(start, end), memory)
}
