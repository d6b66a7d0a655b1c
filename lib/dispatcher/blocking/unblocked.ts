/** What a client hears that another one has unblocked, in Redis's own words. */
import { errorFrame } from '../../errors.ts'
import { nullArrayFrame } from '../../resp/encode.ts'
import type { UnblockReason } from '../core/client.ts'

const UNBLOCKED = errorFrame('UNBLOCKED client unblocked via CLIENT UNBLOCK')

export function unblockedFrame(reason: UnblockReason, protocol: 2 | 3): Buffer {
  return reason === 'ERROR' ? UNBLOCKED : nullArrayFrame(protocol)
}
