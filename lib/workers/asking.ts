/** Questions to several workers at a time: each is answered once, within a bounded time. */
import { WORKER_ANSWER_MS } from '../limits.ts'
import type { Member } from './crew/member.ts'
import type { AllAnswers, AnyKind, AnyQuestion } from './messages.ts'

/** Undefined: one of those who were asked lives and has not answered. */
type Done = (answers: unknown[] | undefined) => void

/** A question whose answers are not complete. */
interface Open {
  readonly waitsFor: Set<Member>
  readonly answers: unknown[]
  readonly done: Done
  readonly timer: NodeJS.Timeout
}

export class Asking {
  readonly #open = new Map<number, Open>()
  #lastNumber = 0

  /** Calls back once. Without anybody to ask that is now, with no answers. */
  ask<K extends AnyKind>(
    members: readonly Member[],
    question: AnyQuestion<K>,
    done: (answers: AllAnswers[K][] | undefined) => void,
  ): void {
    if (members.length === 0) {
      done([])
      return
    }
    const number = ++this.#lastNumber
    const timer = setTimeout(() => this.#close(number, undefined), WORKER_ANSWER_MS)
    const open = { waitsFor: new Set(members), answers: [], done: done as Done, timer }
    this.#open.set(number, open)
    for (const member of members) {
      member.tell({ type: 'question', number, question: question as AnyQuestion })
    }
  }

  answered(member: Member, number: number, answer: unknown): void {
    const open = this.#open.get(number)
    if (open?.waitsFor.delete(member) !== true) return
    open.answers.push(answer)
    this.#closeIfComplete(number, open)
  }

  /** A worker is gone, and its clients with it: nothing is missing without its answers. */
  gone(member: Member): void {
    for (const [number, open] of this.#open) {
      if (open.waitsFor.delete(member)) this.#closeIfComplete(number, open)
    }
  }

  #closeIfComplete(number: number, { waitsFor, answers }: Open): void {
    if (waitsFor.size === 0) this.#close(number, answers)
  }

  #close(number: number, answers: unknown[] | undefined): void {
    const open = this.#open.get(number)
    this.#open.delete(number)
    clearTimeout(open?.timer)
    open?.done(answers)
  }
}
