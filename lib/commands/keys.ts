/**
 * Where the keys are in a request: Redis's key specifications, followed without allocating and
 * never past the arguments that are there.
 *
 * A specification that does not fit the request (numkeys is no number, or more than the arguments
 * present; the keyword is missing) finds no key. The caller then sends the request where its other
 * keys live, or where requests without keys go. Redis finds the same fault before it touches a key,
 * and answers with its own error.
 */
import { parseInteger } from '../resp/bytes.ts'
import type { Request } from '../resp/request.ts'
import { isWord } from './case.ts'
import type { CommandRow, FindKeys, KeySpec, KeywordSearch, OptionWord } from './row.ts'

const ASTERISK = 0x2a

/** Argument indices that `findKeys` found. Made once and filled again and again. */
export class KeyPositions {
  /** The first `count` are valid. */
  positions = new Int32Array(128)
  count = 0

  push(index: number): void {
    if (this.count === this.positions.length) {
      const larger = new Int32Array(2 * this.count)
      larger.set(this.positions)
      this.positions = larger
    }
    this.positions[this.count++] = index
  }
}

/**
 * Puts the argument indices of all keys into `out`, in the order of the row's specifications, and
 * returns their number. Precondition: `arityFits`.
 */
export function findKeys(row: CommandRow, request: Request, out: KeyPositions): number {
  return follow(row.keySpecs, request, out, false)
}

/**
 * As `findKeys`, for SORT's BY and GET patterns that make the names of other keys. A pattern without `*`
 * makes no name. The keys of a pattern live on the shard of its hash tag if that stands before the `*`;
 * otherwise each may live on another shard.
 */
export function findPatterns(row: CommandRow, request: Request, out: KeyPositions): number {
  const found = follow(row.patterns, request, out, true)
  out.count = 0
  for (let i = 0; i < found; i++) {
    const index = out.positions[i] as number
    const start = request.offsets[2 * index] as number
    const end = request.offsets[2 * index + 1] as number
    if (request.bytes.subarray(start, end).includes(ASTERISK)) out.push(index)
  }
  return out.count
}

/** Whether a `lease` request really needs a connection of its own: XREAD does only with BLOCK. */
export function needsLease(row: CommandRow, request: Request): boolean {
  const option = row.leaseOption
  return option === undefined || findWord(option, request) !== 0
}

/**
 * Whether a request that names no key may still touch keys. A script may: its row says where keys
 * would be. TIME may not: by its flags it neither reads nor writes.
 */
export function mayTouchKeys(row: CommandRow): boolean {
  return row.keySpecs.length > 0 || row.readonly || row.flags.has('write')
}

function follow(
  specs: readonly KeySpec[],
  request: Request,
  out: KeyPositions,
  everyKeyword: boolean,
): number {
  out.count = 0
  for (let i = 0; i < specs.length; i++) {
    const { begin, find } = specs[i] as KeySpec
    if (begin.type === 'keyword') followKeyword(begin, find, request, out, everyKeyword)
    else if (begin.unless === undefined || findWord(begin.unless, request) === 0) {
      collect(find, begin.pos, request, out)
    }
  }
  return out.count
}

/**
 * Of several STORE options Redis takes the last, and never looks at the others' keys. Of several GETs
 * it takes every one.
 */
function followKeyword(
  begin: KeywordSearch,
  find: FindKeys,
  request: Request,
  out: KeyPositions,
  every: boolean,
): void {
  const { argc } = request
  if (begin.startFrom < 0) {
    const found = findWordBackwards(begin, request, argc + begin.startFrom)
    if (found !== 0) collect(find, found + 1, request, out)
    return
  }
  const before = out.count
  let found = findWord(begin, request)
  while (found !== 0) {
    if (!every) out.count = before
    const after = collect(find, found + 1, request, out)
    found = findWord(begin, request, after)
  }
}

/** The index of the keyword, or 0. As the last argument it would have nothing behind it. */
function findWord(search: KeywordSearch, request: Request, from = search.startFrom): number {
  const end = request.argc - 1
  for (let at = from; at < end; at++) {
    if (isWord(request, at, search.keyword)) return at
    if (search.options !== undefined) at += argumentsTaken(search.options, request, at)
  }
  return 0
}

function findWordBackwards(search: KeywordSearch, request: Request, from: number): number {
  for (let at = from; at > 1; at--) {
    if (isWord(request, at, search.keyword)) return at
  }
  return 0
}

function argumentsTaken(options: readonly OptionWord[], request: Request, index: number): number {
  for (let i = 0; i < options.length; i++) {
    const option = options[i] as OptionWord
    if (isWord(request, index, option.word)) return option.takes
  }
  return 0
}

/** Collects the keys from argument `start` on and returns the index after the last one, or `start`. */
function collect(find: FindKeys, start: number, request: Request, out: KeyPositions): number {
  const first = find.type === 'range' ? start : start + find.firstKey
  const last = lastKey(find, start, request)
  if (last < first || last >= request.argc) return start
  for (let index = first; index <= last; index += find.step) out.push(index)
  return last + 1
}

/** The index of the last key, or 0 when the specification does not fit the request. */
function lastKey(find: FindKeys, start: number, request: Request): number {
  const { argc, bytes, offsets } = request
  if (find.type === 'range') {
    if (find.last >= 0) return start + find.last
    const rest = argc - start
    return start + find.last + (find.limit > 1 ? Math.floor(rest / find.limit) : rest)
  }
  const at = start + find.keyNumIndex
  if (at >= argc) return 0
  const count = parseInteger(bytes, offsets[2 * at] as number, offsets[2 * at + 1] as number) ?? 0
  return count > 0 ? start + find.firstKey + (count - 1) * find.step : 0
}
