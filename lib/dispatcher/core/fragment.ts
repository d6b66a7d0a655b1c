/** Writes the part of a split command that one shard gets. */
import type { Outbox } from '../../io/outbox.ts'
import { arrayHeader } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'

/**
 * Appends the fragment for the shard at `place`: the command's name and, of its keys (from argument
 * 1 on, every `stride` arguments with what belongs to them), those whose owner is `place`. Their
 * bytes are copied as they came, length headers included.
 */
export function encodeFragment(
  outbox: Outbox,
  request: Request,
  stride: number,
  owners: Int32Array,
  place: number,
  count: number,
): void {
  const { bytes, offsets, frameStart } = request
  const header = arrayHeader(1 + count * stride)
  outbox.append(header, 0, header.length)
  // The name, with its header: from behind the frame's own header to where the first key begins.
  let nameStart = frameStart
  while (bytes[nameStart] !== 0x0a) nameStart++
  const nameEnd = (offsets[1] as number) + 2
  outbox.append(bytes, nameStart + 1, nameEnd)
  let key = 0
  while (key < owners.length) {
    if (owners[key] !== place) {
      key++
      continue
    }
    // Neighbours that go to the same shard are copied in one piece.
    const first = key
    while (key < owners.length && owners[key] === place) key++
    const start = (offsets[2 * first * stride + 1] as number) + 2
    const end = (offsets[2 * key * stride + 1] as number) + 2
    outbox.append(bytes, start, end)
  }
}
