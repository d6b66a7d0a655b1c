/**
 * The end of a transaction over several shards whose commands all shards have queued: EXEC goes to each.
 * With watched keys their shard comes first, and alone, since it may say that nothing is executed.
 */
import { type Failure, PARTLY_EXECUTED, UNEXPECTED_REPLIES } from '../../../failures.ts'
import { ASTERISK, MINUS } from '../../../resp/bytes.ts'

/** A reply that never changes, or the failure. */
export type Outcome = Buffer | Failure

/** What one shard has queued of a transaction. Ends with one call of either method. */
export interface QueuedPart {
  /** Sends EXEC. What it answers goes to `done`. */
  exec(done: (outcome: Outcome) => void): void
  /** Nothing of it is executed. */
  discard(): void
}

export interface SplitExecOptions {
  readonly parts: readonly QueuedPart[]
  /** The first part watches keys. */
  readonly watches: boolean
  /** Makes one of the replies of all; undefined when they do not fit together. */
  readonly merge: (replies: readonly Buffer[]) => Buffer | undefined
  /** Called once. */
  readonly done: (outcome: Outcome) => void
}

export function execAll({ parts, watches, merge, done }: SplitExecOptions): void {
  const outcomes: Outcome[] = []
  let missing = parts.length
  const take = (part: number, outcome: Outcome): void => {
    outcomes[part] = outcome
    if (--missing === 0) done(verdict(outcomes, merge))
  }
  const execFrom = (first: number): void => {
    for (let part = first; part < parts.length; part++) {
      parts[part]?.exec((outcome) => take(part, outcome))
    }
  }
  if (!watches) {
    execFrom(0)
    return
  }
  parts[0]?.exec((outcome) => {
    take(0, outcome)
    if (isExecuted(outcome)) {
      execFrom(1)
      return
    }
    for (const other of parts.slice(1)) other.discard()
    // The others execute nothing, so the first shard's answer is the client's.
    done(outcome)
  })
}

/** What the client hears when each part has had its EXEC. */
export function verdict(
  outcomes: readonly Outcome[],
  merge: (replies: readonly Buffer[]) => Buffer | undefined,
): Outcome {
  const failures = outcomes.filter((outcome): outcome is Failure => !Buffer.isBuffer(outcome))
  if (failures.length === 0 && outcomes.every(isExecuted)) {
    return merge(outcomes as readonly Buffer[]) ?? UNEXPECTED_REPLIES
  }
  const unknown = failures.find(({ maybeExecuted }) => maybeExecuted)
  if (unknown !== undefined) return unknown
  if (outcomes.some(isExecuted)) return failures[0]?.partly ?? PARTLY_EXECUTED
  return outcomes[0] as Outcome
}

/** An array, and no null and no error. */
function isExecuted(outcome: Outcome): boolean {
  return Buffer.isBuffer(outcome) && outcome[0] === ASTERISK && outcome[1] !== MINUS
}
