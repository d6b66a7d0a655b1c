/**
 * Where a request goes, as a value. `plan` is pure and fills an object that is used again. The
 * dispatcher follows it, COMMAND GETKEYS shows it, and the rehearsal makes a second plan for another
 * topology.
 */
import { findKeys, findPatterns, KeyPositions, mayTouchKeys, needsLease } from '../commands/keys.ts'
import type { CommandRow } from '../commands/row.ts'
import type { Request } from '../resp/request.ts'
import { KeyGroups } from './key-groups.ts'
import type { Places } from './places.ts'

/** How many places a request's keys have. */
export type Whereabouts =
  /**
   * All its keys have one place; or it names no key but may touch keys, and has the keyless place.
   */
  | 'one'
  /** Its keys have several places. */
  | 'several'
  /** It names no key and touches none. */
  | 'none'

/**
 * - `one`: as it came, to `place`.
 * - `split`: a fragment for each group of keys; the replies become one.
 * - `every`: as it came, to every shard; the replies become one.
 * - `any`: as it came, to any shard.
 * - `own`: it needs a connection of its own, or is answered here; a plan has nothing to say.
 * - `refused`: not at all; `refusal` says why.
 */
export type PlanKind = 'one' | 'split' | 'every' | 'any' | 'own' | 'refused'

/**
 * - `crossslot`: its keys have several places, and it cannot be split.
 * - `admin`: it manages a server, and that is not allowed.
 * - `unsupported`: its row says why.
 */
export type Refusal = 'crossslot' | 'admin' | 'unsupported'

export interface PlanPolicy {
  /** Commands that manage a server go to every shard. */
  readonly allowAdmin: boolean
}

export class Plan {
  kind: PlanKind = 'any'
  refusal: Refusal = 'crossslot'
  /** The place, if there is one. */
  place = 0
  /** How many keys the request names. */
  keyCount = 0
  /** The argument that is its first key, and that key's hash. Meaningless without keys. */
  firstKey = 0
  firstHash = 0
  /** The hash of the key that was located last. */
  lastHash = 0
  /** The arguments that are keys; of a row with one fixed key `firstKey` alone is filled in. */
  readonly keys = new KeyPositions()
  /** The keys by place, if there are several. */
  readonly groups = new KeyGroups()
}

/** Fills `out` with what becomes of the request. Precondition: `arityFits`. */
export function plan(
  row: CommandRow,
  request: Request,
  places: Places,
  policy: PlanPolicy,
  out: Plan,
): void {
  switch (row.handling) {
    case 'single':
      planSingle(row, request, places, out)
      return
    case 'split': {
      // A request without the keys that its row asks for has a fault, which the shard tells.
      const where = locate(row, request, places, out)
      out.kind = where === 'several' ? 'split' : where === 'one' ? 'one' : 'any'
      return
    }
    case 'broadcast':
      out.kind = 'every'
      return
    case 'admin':
      if (policy.allowAdmin) out.kind = 'every'
      else refuse(out, 'admin')
      return
    case 'lease':
      if (needsLease(row, request)) out.kind = 'own'
      else planSingle(row, request, places, out)
      return
    case 'local':
    case 'subscription':
      out.kind = 'own'
      return
    default:
      refuse(out, 'unsupported')
  }
}

/** Fills in `place`, the keys and, if they have several places, the groups. */
export function locate(row: CommandRow, request: Request, places: Places, out: Plan): Whereabouts {
  const { fixedKey } = row
  if (fixedKey !== 0) {
    out.keyCount = 1
    out.place = placeOfArgument(request, fixedKey, places, out, true)
    return 'one'
  }
  const count = findKeys(row, request, out.keys)
  out.keyCount = count
  if (count === 0) {
    out.place = places.keylessPlace
    return places.placeCount === 1 || mayTouchKeys(row) ? 'one' : 'none'
  }
  const { positions } = out.keys
  const { groups } = out
  groups.begin(count, places.placeCount)
  for (let key = 0; key < count; key++) {
    const place = placeOfArgument(request, positions[key] as number, places, out, key === 0)
    groups.add(key, place, out.lastHash)
  }
  if (groups.places.length > 1) return 'several'
  out.place = groups.places[0] as number
  return 'one'
}

function placeOfArgument(
  { bytes, offsets }: Request,
  argument: number,
  places: Places,
  out: Plan,
  isFirst: boolean,
): number {
  const start = offsets[2 * argument] as number
  const end = offsets[2 * argument + 1] as number
  const hash = places.hashOf(bytes, start, end)
  if (isFirst) {
    out.firstKey = argument
    out.firstHash = hash
  }
  out.lastHash = hash
  return places.placeOf(bytes, start, end, hash)
}

function planSingle(row: CommandRow, request: Request, places: Places, out: Plan): void {
  const where = locate(row, request, places, out)
  if (row.patterns.length > 0 && !patternsStay(row, request, places, out, where)) {
    refuse(out, 'crossslot')
  } else if (where === 'several') {
    refuse(out, 'crossslot')
  } else {
    out.kind = where === 'one' ? 'one' : 'any'
  }
}

const patterns = new KeyPositions()

/**
 * Whether every key that SORT's BY and GET patterns make has the request's place. It has if the
 * hashed part does not contain the `*`.
 */
function patternsStay(
  row: CommandRow,
  request: Request,
  places: Places,
  { place }: Plan,
  where: Whereabouts,
): boolean {
  if (places.placeCount === 1) return true
  const { bytes, offsets } = request
  const count = findPatterns(row, request, patterns)
  for (let i = 0; i < count; i++) {
    const argument = patterns.positions[i] as number
    const start = offsets[2 * argument] as number
    const end = offsets[2 * argument + 1] as number
    if (where !== 'one' || places.placeOfPattern(bytes, start, end) !== place) return false
  }
  return true
}

function refuse(out: Plan, refusal: Refusal): void {
  out.kind = 'refused'
  out.refusal = refusal
}
