/** Where a session reads: the decision, as a pure function of what is known of the servers. */

export type ReadPolicy = 'prefer-master' | 'prefer-replica' | 'replica' | 'nearest'

/** A replica, as far as the choice looks at it. */
export interface Candidate {
  readonly serves: boolean
  readonly stay: number
  readonly coveredMs: number
  readonly offset: number
  readonly zone: string | undefined
  /** Undefined: not measured yet. */
  readonly roundTripMs: number | undefined
}

export interface MasterFacts {
  readonly up: boolean
  readonly zone: string | undefined
  readonly roundTripMs: number | undefined
}

/** The state that a session must not fall behind. */
export interface Past {
  /** The stay of the replica that it has read of; 0: none. */
  readonly stay: number
  /** It has seen what the master had executed by then; a server must have all of that. */
  readonly floorMs: number
  /** Spreads sessions over replicas that are equally good. */
  readonly spread: number
}

/**
 * A candidate; the master; the master, since no candidate is known to be as far as the session (`behind`);
 * or `nobody`, since no replica serves and the master is not wanted.
 */
export type Choice<C> = C | 'master' | 'behind' | 'nobody'

/** `tried`: a server that has just failed the read; it is not chosen again. */
export function choose<C extends Candidate>(
  policy: ReadPolicy,
  zone: string | undefined,
  candidates: readonly C[],
  master: MasterFacts,
  past: Past,
  tried?: Candidate | 'master',
): Choice<C> {
  const serving = candidates.filter((each) => each.serves && each !== tried)
  if (policy === 'prefer-master') {
    if (master.up && tried !== 'master') return 'master'
    // The master cannot be asked how far it was: the replica that is furthest is the best there is.
    return serving.find(({ stay }) => stay === past.stay) ?? furthest(serving) ?? 'master'
  }
  if (serving.length === 0) return policy === 'replica' ? 'nobody' : 'master'
  const able = serving.filter(({ coveredMs }) => coveredMs > past.floorMs)
  const same = serving.find(({ stay }) => stay === past.stay)
  if (same !== undefined) return able.includes(same) ? same : 'behind'
  if (policy !== 'nearest') return able[past.spread % able.length] ?? 'behind'
  const facts = tried === 'master' ? undefined : master
  if (nearest(serving, zone, facts) === 'master') return 'master'
  const best = nearest(able, zone, facts)
  return best === 'master' ? 'behind' : best
}

function furthest<C extends Candidate>(candidates: readonly C[]): C | undefined {
  return candidates.reduce<C | undefined>((best, each) => {
    return best === undefined || each.offset > best.offset ? each : best
  }, undefined)
}

/** In our zone before elsewhere, then by the time that an answer takes. */
function nearest<C extends Candidate>(
  candidates: readonly C[],
  zone: string | undefined,
  master: MasterFacts | undefined,
): C | 'master' {
  const isCloser = (one: Omit<MasterFacts, 'up'>, other: Omit<MasterFacts, 'up'>): boolean => {
    const isHere = Number(one.zone === zone) - Number(other.zone === zone)
    if (zone !== undefined && isHere !== 0) return isHere > 0
    return timeOf(one) < timeOf(other)
  }
  let best: C | 'master' = 'master'
  let bestFacts: Omit<MasterFacts, 'up'> | undefined = master?.up === true ? master : undefined
  for (const each of candidates) {
    if (bestFacts !== undefined && !isCloser(each, bestFacts)) continue
    best = each
    bestFacts = each
  }
  return best
}

function timeOf({ roundTripMs }: Omit<MasterFacts, 'up'>): number {
  return roundTripMs ?? Number.POSITIVE_INFINITY
}
