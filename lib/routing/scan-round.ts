/**
 * A SCAN over the masters of a cluster goes round by round, since keys that go from a master that is still
 * to come to one that is done would be missed. Which slots each master has is asked when a round begins and
 * when it ends; slots that have come to a master meanwhile are looked for once more. Pure.
 */

interface Holdings {
  /** Grows when it takes slots over. */
  readonly epoch: number
  readonly owned: ReadonlySet<number>
  /** On their way to it: some of their keys are there already. */
  readonly importing: ReadonlySet<number>
  /** On their way from it: some of their keys are still there. */
  readonly migrating: ReadonlySet<number>
}

/**
 * By master, in the order in which they are scanned: what each says of itself, see `ownLineIn`; undefined
 * for one that does not say.
 */
export type LineOf<S> = ReadonlyMap<S, string | undefined>

export interface Round<S> {
  /** In the order in which they are scanned; one may come twice. */
  readonly masters: readonly S[]
  /** Slots that this round is about; undefined: all. */
  readonly slots: ReadonlySet<number> | undefined
  /** When it began. */
  readonly before: LineOf<S>
}

export function firstRound<S>(before: LineOf<S>): Round<S> {
  return { masters: [...before.keys()], slots: undefined, before }
}

/** Whether a master has given slots away that none of these has: the map of slots is old. */
export function lacksOwner<S>({ before }: Round<S>, now: LineOf<S>): boolean {
  const owned = new Set<number>()
  for (const line of now.values()) for (const slot of holdingsOf(line).owned) owned.add(slot)
  return [...before.values()].some((line) =>
    [...holdingsOf(line).owned].some((slot) => !owned.has(slot)),
  )
}

/** The round that must follow; undefined: every key that was there all the time has been returned. */
export function nextRound<S>(round: Round<S>, now: LineOf<S>): Round<S> | undefined {
  const slots = new Set<number>()
  const targets: S[] = []
  for (const [master, line] of now) {
    const lineBefore = round.before.get(master)
    // The usual case.
    if (line === lineBefore && line?.includes('[') !== true) continue
    const came = cameTo(holdingsOf(line), lineBefore, round.slots)
    if (came.length === 0) continue
    targets.push(master)
    for (const slot of came) slots.add(slot)
  }
  if (targets.length === 0) return undefined
  // Keys go from these to those, so a scan in this order meets each key, wherever it is at the time.
  const sources = [...now].filter(([, line]) => hasAny(holdingsOf(line).migrating, slots))
  return { masters: [...sources.map(([master]) => master), ...targets], slots, before: now }
}

/** Slots whose keys may have come to the master when it was done already. `wanted`: of these only. */
function cameTo(
  { epoch, owned, importing }: Holdings,
  lineBefore: string | undefined,
  wanted: ReadonlySet<number> | undefined,
): number[] {
  const before = holdingsOf(lineBefore)
  // A slot that has gone and come back since is not seen to have moved, but for the epoch.
  const isSame = before.epoch === epoch
  const had = (slot: number): boolean => {
    if (wanted === undefined) return isSame && before.owned.has(slot)
    // Of a slot that was on its way when this round began, the source was looked at before this.
    return before.owned.has(slot) || before.importing.has(slot)
  }
  const there = [...owned, ...importing]
  return there.filter((slot) => (wanted === undefined || wanted.has(slot)) && !had(slot))
}

function hasAny(some: ReadonlySet<number>, slots: ReadonlySet<number>): boolean {
  for (const slot of some) if (slots.has(slot)) return true
  return false
}

/** What the server that answered CLUSTER NODES says of itself, from its epoch on; undefined: this is no such answer. */
export function ownLineIn(reply: Buffer): string | undefined {
  const line = reply
    .toString('latin1')
    .split('\n')
    .find((each) => MYSELF.test(each))
  return line?.trimEnd().split(' ').slice(EPOCH_AT).join(' ')
}

function holdingsOf(line = ''): Holdings {
  const [epoch, , ...ranges] = line.split(' ')
  const owned = new Set<number>()
  const importing = new Set<number>()
  const migrating = new Set<number>()
  for (const range of ranges) {
    const [, slot, way] = OPEN_SLOT.exec(range) ?? []
    if (slot === undefined) addRange(owned, range)
    else if (way === '<') importing.add(Number(slot))
    else migrating.add(Number(slot))
  }
  return { epoch: Number(epoch), owned, importing, migrating }
}

const MYSELF = /^\S+ \S+ (?:\S+,)?myself\b/
/** `id address flags master ping pong epoch link slots...` */
const EPOCH_AT = 6
const OPEN_SLOT = /^\[(\d+)-([<>])-/
const SLOTS_MAX = 16_384

function addRange(slots: Set<number>, range: string): void {
  const [first = Number.NaN, last = first] = range.split('-').map(Number)
  for (let slot = first; slot <= last && slot < SLOTS_MAX; slot++) slots.add(slot)
}
