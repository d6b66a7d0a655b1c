/** Requests and errors by command, that is by the id of its row. */

/** Stands for requests without a row: unknown commands and malformed requests. */
export const UNKNOWN_COMMAND = -1

const ROWS_FIRST = 512

export interface CommandCount {
  /** A row's id, or UNKNOWN_COMMAND. */
  readonly command: number
  readonly requests: number
  readonly errors: number
}

export class CommandCounts {
  /** Indexed by the id plus one. */
  #requests = new Float64Array(ROWS_FIRST)
  #errors = new Float64Array(ROWS_FIRST)

  addRequest(command: number): void {
    const at = command + 1
    if (at >= this.#requests.length) this.#grow(at)
    this.#requests[at] = (this.#requests[at] as number) + 1
  }

  /** `command` had a request before. */
  addError(command: number): void {
    const at = command + 1
    this.#errors[at] = (this.#errors[at] as number) + 1
  }

  get requests(): number {
    return this.#requests.reduce((sum, count) => sum + count, 0)
  }

  /** The commands that were used, most used first. */
  used(): CommandCount[] {
    const counts: CommandCount[] = []
    for (const [at, requests] of this.#requests.entries()) {
      if (requests > 0) counts.push({ command: at - 1, requests, errors: this.#errors[at] ?? 0 })
    }
    return counts.sort((one, other) => other.requests - one.requests)
  }

  /** Rows are added as shards teach us their commands, up to COMMAND_ROWS_MAX. */
  #grow(at: number): void {
    const length = Math.max(at + 1, 2 * this.#requests.length)
    const requests = new Float64Array(length)
    const errors = new Float64Array(length)
    requests.set(this.#requests)
    errors.set(this.#errors)
    this.#requests = requests
    this.#errors = errors
  }
}
