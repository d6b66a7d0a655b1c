/** The other workers, as one of them asks them: over the supervisor, and each question with a time limit. */
import type { Answers, Colleagues, Kind, Question } from '../dispatcher/colleagues/colleagues.ts'
import { WORKER_ANSWER_MS } from '../limits.ts'
import type { FromWorker } from './messages.ts'

/** Undefined: somebody lives and has not answered. */
type Done = (answers: unknown[] | undefined) => void

export class Others implements Colleagues {
  readonly #tell: (message: FromWorker) => void
  readonly #open = new Map<number, { readonly done: Done; readonly timer: NodeJS.Timeout }>()
  #lastNumber = 0

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell
  }

  /** Colleagues */
  ask<K extends Kind>(
    question: Question<K>,
    done: (answers: readonly Answers[K][] | undefined) => void,
  ): void {
    const number = ++this.#lastNumber
    // The supervisor keeps the same time; it may hang itself.
    const timer = setTimeout(() => this.answered(number, undefined), WORKER_ANSWER_MS)
    this.#open.set(number, { done: done as Done, timer })
    this.#tell({ type: 'ask', number, question: question as Question })
  }

  answered(number: number, answers: unknown[] | undefined): void {
    const open = this.#open.get(number)
    if (open === undefined) return
    this.#open.delete(number)
    clearTimeout(open.timer)
    open.done(answers)
  }
}
