/** Divides the parts of one request into runs: those of one key, by the servers that have their places. */
import { type PartsSink, Run, RunParts } from './run.ts'

/** Receives the replies to parts. */
export interface RowsSink extends PartsSink {
  /** Part `part` is in run `runOf[part]`, or in none if that is negative. */
  expectRows(runOf: readonly number[]): void
}

/** The parts of one request, by number. */
export interface DivisibleParts {
  readonly places: readonly number[]
  /** How many keys each has. */
  readonly counts: Int32Array
}

const IN_NONE = -1

export class Runs<S> {
  /** By part: its run; negative: it is in none, since it has several keys, or nobody has its place. */
  readonly runOf: number[]
  /** By run: its server. */
  readonly servers: S[] = []
  readonly parts: RunParts
  /** By run: where its parts begin in `parts`. After the last one: where they end. */
  readonly starts: number[] = [0]

  constructor({ places, counts }: DivisibleParts, ownerOf: (place: number) => S | undefined) {
    const { length } = places
    const { servers, starts } = this
    const runOf = new Array<number>(length).fill(IN_NONE)
    const sizes: number[] = []
    for (let part = 0; part < length; part++) {
      const server = counts[part] === 1 ? ownerOf(places[part] as number) : undefined
      const run = server === undefined ? IN_NONE : servers.indexOf(server)
      if (run >= 0) sizes[run] = (sizes[run] as number) + 1
      else if (server !== undefined) sizes.push(1)
      runOf[part] = server === undefined || run >= 0 ? run : servers.push(server) - 1
    }
    for (const [run, size] of sizes.entries()) starts.push((starts[run] as number) + size)
    const parts = new RunParts(starts.at(-1) as number)
    const next = starts.slice()
    for (let part = 0; part < length; part++) {
      const run = runOf[part] as number
      if (run < 0) continue
      const at = next[run] as number
      next[run] = at + 1
      parts.put(at, part, places[part] as number)
    }
    this.runOf = runOf
    this.parts = parts
  }

  /** Its replies go to `sink`. */
  run(number: number, sink: PartsSink): Run {
    const { starts, parts } = this
    return new Run(number, parts, starts[number] as number, starts[number + 1] as number, sink)
  }

  /** Its parts are in none any more. */
  dissolve(number: number): void {
    const { starts, parts, runOf } = this
    for (let at = starts[number] as number; at < (starts[number + 1] as number); at++) {
      runOf[parts.partAt(at)] = IN_NONE
    }
  }
}
