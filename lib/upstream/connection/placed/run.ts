/**
 * Parts of one client's request, all for one server, that are sent as requests of their own and entered as one: their
 * replies follow each other, and are handed on in rows. With the first trouble each becomes a request of its own.
 */
import type { Failure } from '../../../failures.ts'
import type { ReplySink } from '../../reply-sink.ts'
import type { PlacedRequest } from './placed-request.ts'

/** Receives replies by the numbers of their parts, and rows of them. */
export interface PartsSink extends ReplySink {
  /**
   * Whole replies, `bytes[start, end)`, to `count` parts of the run with this number: those that follow the ones that
   * have been answered so far. Each is an array of one element.
   */
  replies(run: number, bytes: Buffer, start: number, end: number, count: number): void
}

/** Numbers that are kept of each part: its own, its place, and where its bytes end. */
const NUMBERS = 3

/** The parts of all runs of one request, one run behind the other. */
export class RunParts {
  /** No typed array: a short-lived one costs more than all that is done with it. */
  readonly #numbers: number[]

  constructor(count: number) {
    this.#numbers = new Array<number>(NUMBERS * count).fill(0)
  }

  put(at: number, part: number, place: number): void {
    this.#numbers[NUMBERS * at] = part
    this.#numbers[NUMBERS * at + 1] = place
  }

  /** `end`: counted from the first byte of its run. */
  putEnd(at: number, end: number): void {
    this.#numbers[NUMBERS * at + 2] = end
  }

  partAt(at: number): number {
    return this.#numbers[NUMBERS * at] as number
  }

  placeAt(at: number): number {
    return this.#numbers[NUMBERS * at + 1] as number
  }

  endAt(at: number): number {
    return this.#numbers[NUMBERS * at + 2] as number
  }
}

export class Run implements ReplySink {
  readonly #number: number
  readonly #parts: RunParts
  readonly #sink: PartsSink
  readonly #first: number
  readonly #end: number
  /** The first part without a reply. */
  #at: number

  /** Its parts are those of `parts` from `first` to before `end`. */
  constructor(number: number, parts: RunParts, first: number, end: number, sink: PartsSink) {
    this.#number = number
    this.#parts = parts
    this.#sink = sink
    this.#first = first
    this.#end = end
    this.#at = first
  }

  /** How many of its parts have no reply yet. */
  get left(): number {
    return this.#end - this.#at
  }

  /** ReplySink */
  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const part = this.#parts.partAt(this.#at)
    if (last) this.#at++
    this.#sink.reply(part, bytes, start, end, last)
  }

  /** Whole replies to the next `count` parts: arrays of one element each. */
  replies(bytes: Buffer, start: number, end: number, count: number): void {
    this.#at += count
    this.#sink.replies(this.#number, bytes, start, end, count)
  }

  /** ReplySink: none of the parts that are left gets a reply. */
  failed(_ticket: number, failure: Failure): void {
    while (this.#at < this.#end) this.#sink.failed(this.#parts.partAt(this.#at++), failure)
  }

  /** Makes requests of the parts that are left. `run`: as the FIFO has it. Returns who gets their replies. */
  handOver(run: PlacedRequest, heirOf: (request: PlacedRequest) => ReplySink): ReplySink {
    const parts = this.#parts
    const heirs: ReplySink[] = []
    for (let at = this.#at; at < this.#end; at++) {
      const request: PlacedRequest = {
        ...run,
        number: run.number + at - this.#first,
        place: parts.placeAt(at),
        sink: this.#sink,
        ticket: parts.partAt(at),
        start: run.start + (at === this.#first ? 0 : parts.endAt(at - 1)),
        end: run.start + parts.endAt(at),
      }
      heirs.push(heirOf(request))
    }
    return new InTurn(heirs)
  }
}

/** Gives each receiver one reply, with ticket 0. */
class InTurn implements ReplySink {
  readonly #sinks: readonly ReplySink[]
  #at = 0

  constructor(sinks: readonly ReplySink[]) {
    this.#sinks = sinks
  }

  /** ReplySink */
  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const sink = this.#sinks[this.#at]
    if (last) this.#at++
    sink?.reply(0, bytes, start, end, last)
  }

  /** ReplySink */
  failed(_ticket: number, failure: Failure): void {
    while (this.#at < this.#sinks.length) this.#sinks[this.#at++]?.failed(0, failure)
  }
}
