/**
 * The parts of a transaction on other places than its first, where places move: all of it is kept until
 * EXEC. Then each place gets a lease, queues its commands, and executes them when all have queued theirs.
 */
import { TRANSACTION_PARTS_MAX } from '../../../limits.ts'
import type { Client } from '../../core/client.ts'
import type { Sender } from '../../core/sender.ts'
import type { Scripts } from '../../scripts/scripts.ts'
import type { ExecAccount } from '../exec/exec-replies.ts'
import { SlotExec, type Watching } from '../exec/slot-exec.ts'
import type { EarlyCommand } from '../kept-commands.ts'
import { ExecOrder } from './exec-order.ts'
import type { Fragments } from './fragments.ts'
import { execAll, type Outcome } from './split-exec.ts'

export interface SlotPartsExec {
  readonly client: Client
  readonly sender: Sender
  readonly scripts: Scripts
  /** The connection on which keys of the first place are watched. */
  readonly watching: Watching | undefined
  readonly deadlineMs: number
  readonly account: ExecAccount
  /** Called once. */
  readonly done: (outcome: Outcome) => void
}

export class SlotParts {
  readonly #order = new ExecOrder()
  /** By part: where it is, and what it will be sent. */
  readonly #places: number[]
  readonly #queues: EarlyCommand[][]
  /** By place. */
  readonly #numbers = new Map<number, number>()
  readonly #changes: EarlyCommand[]

  /**
   * `queued`: what the first place will be sent; the caller adds to it. `changes`: those of these that change
   * the connection.
   */
  constructor(place: number, queued: EarlyCommand[], changes: readonly Buffer[]) {
    this.#places = [place]
    this.#queues = [queued]
    this.#numbers.set(place, this.#order.addPart(0))
    this.#changes = changes.map((frame) => ({ frame, script: undefined }))
    for (let i = 0; i < queued.length; i++) this.#order.add(0)
  }

  /** The caller adds the next command to what the first place is sent. */
  addFirst(): void {
    this.#order.add(0)
  }

  /** As `addFirst`, for a command that changes connections, of which all places get a copy. */
  addChange(frame: Buffer): void {
    const change = { frame, script: undefined }
    this.#changes.push(change)
    this.#order.addEverywhere()
    for (const queue of this.#queues.slice(1)) queue.push(change)
  }

  /** False: it is one place too many. */
  queue(place: number, queued: EarlyCommand): boolean {
    const number = this.#numberOf(place)
    if (number === undefined) return false
    this.#order.add(number)
    this.#queues[number]?.push(queued)
    return true
  }

  queueSplit({ frames, joining }: Fragments): boolean {
    const numbers: number[] = []
    for (const { place } of frames) {
      const number = this.#numberOf(place)
      if (number === undefined) return false
      numbers.push(number)
    }
    this.#order.addSplit(numbers, joining)
    for (const [fragment, { frame }] of frames.entries()) {
      this.#queues[numbers[fragment] as number]?.push({ frame, script: undefined })
    }
    return true
  }

  #numberOf(place: number): number | undefined {
    const known = this.#numbers.get(place)
    if (known !== undefined || this.#places.length >= TRANSACTION_PARTS_MAX) return known
    const number = this.#order.addPart(this.#changes.length)
    this.#places.push(place)
    this.#queues.push([...this.#changes])
    this.#numbers.set(place, number)
    return number
  }

  exec({ watching, done, ...context }: SlotPartsExec): void {
    const changesConnection = this.#changes.length > 0
    let unready = this.#places.length
    let isOver = false
    const parts = this.#places.map((slot, number) => {
      return new SlotExec({
        ...context,
        slot,
        queued: this.#queues[number] as EarlyCommand[],
        changesConnection,
        watching: number === 0 ? watching : undefined,
        ready: () => {
          if (--unready > 0) return
          const watches = watching !== undefined
          execAll({ parts, watches, merge: (replies) => this.#order.merge(replies), done })
        },
        done: (outcome) => {
          if (isOver) return
          isOver = true
          for (const part of parts) part.discard()
          done(outcome)
        },
      })
    })
    for (const part of parts) part.start()
  }
}
