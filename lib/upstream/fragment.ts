/** Writes a request, or the part of a split command that one place gets. */
import type { Lent } from '../io/chunk.ts'
import { LARGE_BYTES, type Outbox } from '../io/outbox.ts'
import { arrayHeader } from '../resp/encode.ts'
import type { KeptMemory } from '../resp/request.ts'
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
export function encodeFragment(
  outbox: Appendable,
  { request, stride, groupOf, index, keyCount, firstKey }: Fragment,
): void {
  const { bytes, offsets, frameStart, memory } = request
  const header = arrayHeader(1 + keyCount * stride)
  outbox.append(header, 0, header.length)
  // The name, with its header: from behind the frame's own header to where the first key begins.
  let nameStart = frameStart
  while (bytes[nameStart] !== 0x0a) nameStart++
  const nameEnd = (offsets[1] as number) + 2
  outbox.append(bytes, nameStart + 1, nameEnd)
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
