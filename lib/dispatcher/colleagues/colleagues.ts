/**
 * The other workers, where there are several: each serves clients of its own, and some commands are about the
 * clients or the counts of all. Questions and answers are plain data, which go from process to process.
 */
import { NO_ANSWER } from '../../failures.ts'
import type { LookoutPart } from '../../stats/lookout/lookout-part.ts'
import type { Client, UnblockReason } from '../core/client.ts'

/** A question of each kind. `pool`: of the entrance at which the client that asks came in. */
export interface Questions {
  /** CLIENT LIST, with its words. */
  readonly list: { readonly pool: string | undefined; readonly words: readonly string[] }
  /** CLIENT KILL, with its words. */
  readonly kill: { readonly pool: string | undefined; readonly words: readonly string[] }
  readonly unblock: {
    readonly pool: string | undefined
    readonly id: number
    readonly reason: UnblockReason
  }
  readonly facts: { readonly pool: string | undefined }
  readonly shards: { readonly pool: string | undefined }
  readonly lookout: Record<never, never>
  readonly forget: { readonly log: 'slowLog' | 'bigReplies' }
}

export interface Answers {
  /** The lines of the clients. */
  readonly list: string
  /** How many clients were closed. */
  readonly kill: number
  /** Whether the client was unblocked; undefined: its shard has not told. */
  readonly unblock: boolean | undefined
  /** As AMBASSADOR STATS has them. */
  readonly facts: readonly (readonly [string, string | number])[]
  readonly shards: readonly ShardFigures[]
  readonly lookout: LookoutPart
  readonly forget: true
}

export interface ShardFigures {
  readonly name: string
  readonly up: boolean
  readonly inFlight: number
  readonly leased: number
}

export type Kind = keyof Questions

export type Question<K extends Kind = Kind> = {
  [Each in K]: { readonly kind: Each } & Questions[Each]
}[K]

export interface Colleagues {
  /**
   * Asks all other workers. Calls back once, within WORKER_ANSWER_MS: with the answers of those that live, or
   * with undefined if one of them lives and has not answered.
   */
  ask<K extends Kind>(
    question: Question<K>,
    done: (answers: readonly Answers[K][] | undefined) => void,
  ): void
}

/** Nobody: the ambassador is alone. */
export type Others = Colleagues | undefined

/**
 * Answers the request under way by what the others answer; at once if there is nobody to ask. The reply has
 * its place in the client's order from now on.
 */
export function answerWith<K extends Kind>(
  others: Others,
  { session }: Client,
  question: Question<K>,
  frameOf: (answers: readonly Answers[K][]) => Buffer,
): void {
  if (others === undefined) {
    session.answer(frameOf([]))
    return
  }
  const ticket = session.open()
  others.ask(question, (answers) => {
    if (answers === undefined) session.failed(ticket, NO_ANSWER)
    else session.settle(ticket, frameOf(answers))
  })
}
