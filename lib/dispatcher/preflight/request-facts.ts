/** What a rehearsal has to know of a request beside its places. */
import type { CommandRow } from '../../commands/row.ts'
import { REHEARSED_KEYS_MAX } from '../../limits.ts'
import type { Request } from '../../resp/request.ts'
import type { Plan } from '../../routing/plan.ts'
import { keptKey } from '../../stats/lookout/shown-key.ts'
import { databaseOfCopy } from '../edge/apart-databases.ts'

/** They run what may touch more keys than they name. */
export const SCRIPTS = ['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro']

/** The first keys of the request that was located last, as they are kept. */
export function keysOf(
  { bytes, offsets }: Request,
  { fixedKey }: CommandRow,
  made: Plan,
): string[] {
  const positions = fixedKey === 0 ? made.keys.positions : [fixedKey]
  const count = Math.min(made.keyCount, REHEARSED_KEYS_MAX)
  return Array.from({ length: count }, (_, key) => {
    const at = 2 * (positions[key] as number)
    return keptKey(bytes, offsets[at] as number, offsets[at + 1] as number)
  })
}

/** COPY to another database than 0. */
export function namesDatabase(request: Request): boolean {
  return (databaseOfCopy(request) ?? 0) !== 0
}
