/** Finds what of a conversation is needed for it to fail. */
import type { Turn } from './conversation.ts'

/** Most tries: each holds the conversation anew. */
const TRIES_MAX = 400

export async function shrink(
  turns: readonly Turn[],
  fails: (turns: readonly Turn[]) => Promise<boolean>,
): Promise<readonly Turn[]> {
  let smallest = turns
  let tries = 0
  for (let again = true; again; ) {
    again = false
    for (const candidate of smallerThan(smallest)) {
      if (++tries > TRIES_MAX) return smallest
      if (!(await fails(candidate))) continue
      smallest = candidate
      again = true
      break
    }
  }
  return smallest
}

function* smallerThan(turns: readonly Turn[]): Generator<readonly Turn[]> {
  for (const [index] of turns.entries()) yield without(turns, index)
  for (const [index, turn] of turns.entries()) {
    const half = turn.requests.length >> 1
    if (half > 1) {
      yield replaced(turns, index, { ...turn, requests: turn.requests.slice(half) })
      yield replaced(turns, index, { ...turn, requests: turn.requests.slice(0, half) })
    }
    for (const [at] of turn.requests.entries()) {
      const requests = without(turn.requests, at)
      if (requests.length > 0) yield replaced(turns, index, { ...turn, requests })
    }
    if (turn.cutSeed !== 0) yield replaced(turns, index, { ...turn, cutSeed: 0 })
  }
}

function without<T>(items: readonly T[], index: number): T[] {
  return items.filter((_, at) => at !== index)
}

function replaced<T>(items: readonly T[], index: number, item: T): T[] {
  return items.map((each, at) => (at === index ? item : each))
}
