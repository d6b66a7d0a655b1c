/** The parts of one split command (MSET, DEL, MGET ...) that several places queue in a transaction. */
import type { CommandRow } from '../../../commands/row.ts'
import { FrameBuilder } from '../../../pool/cluster/frame-builder.ts'
import type { Request } from '../../../resp/request.ts'
import type { Plan } from '../../../routing/plan.ts'
import { encodeFragment } from '../../../upstream/fragment.ts'
import { finishOfSplit } from '../../core/finish.ts'
import type { Joining } from './exec-order.ts'

export interface PlacedFrame {
  readonly place: number
  /** It never changes. */
  readonly frame: Buffer
}

export interface Fragments {
  /** One for each place. */
  readonly frames: readonly PlacedFrame[]
  readonly joining: Joining
  /** Memory that this takes. */
  readonly bytes: number
}

const builder = new FrameBuilder()

/** `located`: the plan in which the request was located last, on several places. */
export function fragmentsOf(request: Request, row: CommandRow, located: Plan): Fragments {
  const { keyCount, groups } = located
  const { places, counts, firstKeys } = groups
  const groupOf = groups.groupOf.slice(0, keyCount)
  const frames = places.map((place, index) => {
    builder.begin()
    encodeFragment(builder, {
      request,
      stride: row.stride,
      groupOf,
      index,
      keyCount: counts[index] as number,
      firstKey: firstKeys[index] as number,
    })
    return { place, frame: Buffer.from(builder.bytes.subarray(0, builder.frameEnd)) }
  })
  const bytes = frames.reduce((sum, { frame }) => sum + frame.length, groupOf.byteLength)
  return { frames, joining: (target) => finishOfSplit(row, target, 0, groupOf), bytes }
}
