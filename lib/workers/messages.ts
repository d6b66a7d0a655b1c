/**
 * What the supervisor and its workers say to each other, over the channel that Node makes between a process and
 * its child. All of it is plain data: the channel copies it (structured clone).
 */
import type { Answer } from '../admin/answer.ts'
import type { Family } from '../admin/metrics/exposition.ts'
import type { ProcessFigures } from '../admin/metrics/process-figures.ts'
import type { statsOf } from '../admin/pages/stats-page.ts'
import type { Config } from '../config/config.ts'
import type { Answers, Questions } from '../dispatcher/colleagues/colleagues.ts'

/** What a worker must know before it can serve. */
export interface Assignment {
  readonly config: Config
  readonly index: number
  readonly count: number
  readonly idsAbove: number
  readonly startedAtMs: number
  /** The level that a signal may have set. */
  readonly logLevel: string
  /** For files of programs that the worker starts; sockets are made with a stricter one. */
  readonly umask: number
}

export type Statistics = ReturnType<typeof statsOf> & { readonly process: ProcessFigures }

export interface Report {
  readonly stats: Statistics
  readonly families: readonly Family[]
}

export interface Readiness {
  /** Why no traffic should come; undefined: it may. */
  readonly unready: string | undefined
  readonly shards: readonly { readonly name: string; readonly up: boolean }[]
}

/** What the supervisor asks, besides what it passes on from one worker to the others. */
export interface AllQuestions extends Questions {
  /** `clears`: what is measured from one scrape to the next begins anew. */
  readonly report: { readonly clears: boolean }
  readonly ready: Record<never, never>
  /** A page that any worker can answer. */
  readonly page: { readonly path: string; readonly query: string }
}

export interface AllAnswers extends Answers {
  readonly report: Report
  readonly ready: Readiness
  readonly page: Answer
}

export type AnyKind = keyof AllQuestions

export type AnyQuestion<K extends AnyKind = AnyKind> = {
  [Each in K]: { readonly kind: Each } & AllQuestions[Each]
}[K]

/** `number` pairs a question with its answer, and a configuration with the word that it is in use. */
export type ToWorker =
  | { readonly type: 'start'; readonly assignment: Assignment }
  | {
      readonly type: 'reload'
      readonly number: number
      readonly config: Config
    }
  | { readonly type: 'level'; readonly level: string }
  | { readonly type: 'question'; readonly number: number; readonly question: AnyQuestion }
  /** Undefined: a worker lives and has not answered. */
  | { readonly type: 'answers'; readonly number: number; readonly answers: unknown[] | undefined }
  | { readonly type: 'stop' }

export type FromWorker =
  /** It listens to us. */
  | { readonly type: 'here' }
  | { readonly type: 'ready'; readonly addresses: readonly string[] }
  /** It cannot serve, as the system says. */
  | { readonly type: 'failed'; readonly refusal: Refusal }
  | { readonly type: 'reloaded'; readonly number: number }
  | {
      readonly type: 'answer'
      readonly number: number
      readonly kind: AnyKind
      readonly answer: unknown
    }
  | {
      readonly type: 'ask'
      readonly number: number
      readonly question: AnyQuestion<keyof Questions>
    }
  | { readonly type: 'shard'; readonly name: string; readonly up: boolean }

export interface Refusal {
  readonly message: string
  readonly code: string
  readonly syscall: string
}
