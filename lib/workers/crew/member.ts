/** One worker, as the supervisor sees it: a child process, and how far it has come. */
import type { Worker } from 'node:cluster'
import type { FromWorker, Refusal, ToWorker } from '../messages.ts'
import { closeUndelivered } from './hand-over.ts'

/** How a process has ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: string | null
}

export interface MemberEvents {
  heard(member: Member, message: FromWorker): void
  exited(member: Member, ending: Ending): void
}

export class Member {
  /** Its place among the workers, from 0 on. A successor has the same. */
  readonly index: number
  /** Its ids are above it. */
  readonly idsAbove: number
  /** Since when it serves, monotonic milliseconds; undefined: it does not. */
  readySinceMs: number | undefined
  /** Why it cannot serve. */
  refusal: Refusal | undefined
  /** The number of the reload whose configuration it uses; undefined: it has none so far. */
  reload: number | undefined
  readonly #worker: Worker

  constructor(worker: Worker, index: number, idsAbove: number, events: MemberEvents) {
    this.#worker = worker
    this.index = index
    this.idsAbove = idsAbove
    closeUndelivered(worker)
    worker.on('message', (message: FromWorker) => events.heard(this, message))
    // It has died, and a message to it cannot be written; `exit` follows.
    worker.on('error', () => {})
    worker.once('exit', (code: number | null, signal: string | null) => {
      events.exited(this, { code, signal })
    })
  }

  get pid(): number | undefined {
    return this.#worker.process.pid
  }

  tell(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message)
  }

  kill(): void {
    this.#worker.process.kill('SIGKILL')
  }
}
